"""``crosswalk preflight``: who is connected, what may be read, and what is missing, before any record moves."""

import os
from dataclasses import asdict

import click

from apps.cli.output import print_json, print_table
from data_contracts.settings_file import load_settings
from pipelines.extract.preflight import preflight
from resources.home import Home
from resources.salesforce import SalesforceOrg, TokenStore


@click.command(name="preflight")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Check the connection and the permissions; exit 1 when something is red."""
    settings, store = load_settings(), TokenStore(Home.from_environment().root)
    findings = preflight(SalesforceOrg.connect(settings.connection, os.environ, store=store), settings)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        rows = [(item.level, item.subject, item.message, item.remedy) for item in findings]
        print_table("Preflight", ("", "what", "found", "remedy"), rows)
    if any(item.level == "red" for item in findings):
        context.exit(1)
