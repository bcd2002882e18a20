"""``crosswalk preflight``: who is connected, what may be read, and what is missing, before any record moves."""

import os

import click

from apps.cli.output import print_json
from apps.cli.preflight_view import show
from data_contracts.errors import SalesforceError, SettingsError
from data_contracts.settings import Settings
from data_contracts.settings_file import load_settings
from pipelines.preflight import Report, home_facts, preflight, refused
from resources.home import Home
from resources.salesforce import SalesforceOrg, TokenStore


@click.command(name="preflight")
@click.option("--review", is_flag=True, help="Add every scope and object asked for, why, and where it is revoked.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
@click.pass_context
def command(context: click.Context, review: bool, as_json: bool) -> None:
    """Check the connection, the permissions and the fields; exit 1 when something is red.

    Nothing is changed and no record is fetched.
    """
    settings, home = load_settings(), Home.from_environment()
    report = look(home, settings)
    if as_json:
        print_json(report.document())
    else:
        show(report, review=review)
    if report.level == "red":
        context.exit(1)


def look(home: Home, settings: Settings) -> Report:
    """Return the report of this home and its org; a connection that cannot be made is a report too."""
    facts = home_facts(home, settings)
    try:
        org = SalesforceOrg.connect(settings.connection, os.environ, store=TokenStore(home.root))
        return preflight(org, settings, facts)
    except (SalesforceError, SettingsError) as error:
        return refused(error, settings)
