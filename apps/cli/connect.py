"""``crosswalk connect``: sign in to Salesforce, once, and remember who connected."""

import os
import sys
import webbrowser
from dataclasses import asdict

import click

from apps.cli.output import print_json
from data_contracts.settings_file import load_settings
from pipelines.connect import Browser, connect
from resources.home import Home
from resources.salesforce.web_flow import CALLBACK_PORT, SIGN_IN_SECONDS


@click.command(name="connect")
@click.option("--no-browser", is_flag=True, help="Print the address and open nothing.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=CALLBACK_PORT,
    show_default=True,
    help="Port of the callback URL http://localhost:PORT/callback; 0: any free one.",
)
@click.option("--again", is_flag=True, help="Sign in anew though a token is stored, as another user for example.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def command(no_browser: bool, port: int, again: bool, as_json: bool) -> None:
    """Sign in and check that it is the right org.

    With SALESFORCE_AUTH=refresh_token a browser opens and the token is kept in CROSSWALK_HOME; the other ways of
    signing in are tried out. After a disconnect Salesforce asks for the password again.
    """

    def show(address: str, callback: str) -> None:
        opened = not no_browser and _has_screen() and webbrowser.open(address)
        said = "Your browser opens. If it does not, open" if opened else "Open"
        click.echo(f"{said} this address in a browser on this machine and sign in:\n\n{address}\n", err=True)
        click.echo(f"Waiting {SIGN_IN_SECONDS / 60:.0f} minutes for the answer on {callback}", err=True)

    record = connect(Home.from_environment(), load_settings(), os.environ, Browser(show, port), again=again)
    if as_json:
        print_json({name: value for name, value in asdict(record).items() if name not in ("archive", "told")})
        return
    click.echo(f"Connected to org {record.org_id} at {record.instance_url} as {record.username} ({record.grant}).")
    if record.scopes:
        click.echo(f"Scopes: {record.scopes}")
    click.echo("Next: crosswalk preflight")


def _has_screen() -> bool:
    """Whether a window can open: without one, Python would start a browser in this terminal and wait for its end."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
