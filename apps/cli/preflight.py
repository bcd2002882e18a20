"""``crosswalk preflight``: who is connected, what may be read, and what is missing, before any record moves."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from apps.cli.output import print_json
from apps.cli.preflight_view import show
from data_contracts.settings_file import load_settings
from pipelines.preflight import home_facts, preflight_of
from pipelines.preflight.bundle import write_bundle
from resources.home import Home
from resources.salesforce import SalesforceOrg, TokenStore


@click.command(name="preflight")
@click.option("--review", is_flag=True, help="Add every scope and object asked for, why, and where it is revoked.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
@click.option(
    "--support-bundle",
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    help="Write a zip with what a helper needs, without records, secrets and names of people.",
)
@click.pass_context
def command(context: click.Context, review: bool, as_json: bool, support_bundle: str | None) -> None:
    """Check the connection, the permissions and the fields; exit 1 when something is red.

    Nothing is changed and no record is fetched.
    """
    settings, home = load_settings(), Home.from_environment()
    report = preflight_of(
        lambda: SalesforceOrg.connect(settings.connection, os.environ, store=TokenStore(home.root)),
        settings,
        home_facts(home, settings),
    )
    bundle: dict[str, object] = {}
    if support_bundle is not None:
        path = Path(support_bundle or f"crosswalk-support-{datetime.now(UTC):%Y%m%d-%H%M%S}.zip").absolute()
        bundle = {"support_bundle": str(path), "files": write_bundle(path, home, settings, report, os.environ)}
    if as_json:
        print_json(report.document() | bundle)
    else:
        show(report, review=review)
    if bundle and not as_json:
        click.echo(
            f"Support bundle: {bundle['support_bundle']} (readable by you alone; look through it before sending)"
        )
    if report.level == "red":
        context.exit(1)
