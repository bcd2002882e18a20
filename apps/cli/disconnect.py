"""``crosswalk disconnect``: revoke the token, archive what came from the org, forget which org it was."""

import os
from dataclasses import asdict

import click

from apps.cli.output import print_json
from data_contracts.settings_file import load_settings
from pipelines.disconnect import disconnect
from resources.home import Home


@click.command(name="disconnect")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Go on though Salesforce cannot be told to revoke the token.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document; needs --yes.")
def command(yes: bool, force: bool, as_json: bool) -> None:
    """Revoke the token at Salesforce and move what came from the org to CROSSWALK_HOME/archive.

    The mirror, its downloads, the models and the published snapshot go there; human decisions stay. The next
    connect, to this org or another, starts afresh with a sign-in. Nothing in Salesforce's records is touched.
    """
    if as_json and not yes:
        raise click.UsageError("--json cannot ask: add --yes")
    home, settings = Home.from_environment(), load_settings()
    if not yes and not click.confirm(
        "Revoke the token, and archive the mirror, its downloads, the models and what analysts read?", default=False
    ):
        click.echo("Nothing was changed.")
        return
    done = disconnect(home, settings, os.environ, force=force)
    if as_json:
        print_json(asdict(done))
        return
    click.echo(f"Disconnected from org {done.org_id or 'unknown'}. Token: {done.revoked}.")
    click.echo(f"Archived: {done.archive}" if done.archive else "There was nothing to archive.")
    click.echo("The app stays authorised for other uses until an admin revokes it; see docs/connecting.md.")
    click.echo("Next: crosswalk connect")
