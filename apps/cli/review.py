"""``crosswalk review``: serve the review page, or make a password hash for its accounts."""

import json
import logging
import sys
from dataclasses import asdict

import click

from data_contracts.settings_file import load_settings
from resources.home import Home


@click.command(name="review")
@click.option("--host", help="Address to serve at; unset: review.host of the settings, which is loopback.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 is any free one; unset: review.port.")
@click.option("--hash-password", is_flag=True, help="Ask for a password, print its hash for review.accounts, and end.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line with the address when it is ready.")
def command(host: str | None, port: int | None, hash_password: bool, as_json: bool) -> None:
    """Serve the page on which people decide which record is which entity."""
    if hash_password:
        _print_hash()
        return
    # Imported here: a password hash needs no web server.
    from apps.review.server import Served, serve

    def ready(where: Served) -> None:
        if as_json:
            click.echo(json.dumps(asdict(where)))
        else:
            click.echo(f"Review page: {where.url}")
            if where.sign_in:
                click.echo(f"Sign in, once: {where.sign_in}")
            click.echo("Ctrl-C ends it.")
        sys.stdout.flush()

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    settings = load_settings()
    chosen_port = settings.review.port if port is None else port
    serve(settings, Home.from_environment(), host or settings.review.host, chosen_port, ready)


def _print_hash() -> None:
    from apps.review.passwords import hash_password as hashed

    password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    click.echo(hashed(password))
