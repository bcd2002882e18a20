"""``crosswalk demo-org serve``: a local Salesforce to try, test and measure against."""

import logging
import sys
from pathlib import Path

import click

_PORT = click.IntRange(0, 65535)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(name="demo-org")
def command() -> None:
    """Work with the demo org, a local Salesforce."""


@command.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with one CSV per object (Account.csv, ...); without it the org has no records.",
)
@click.option("--port", type=_PORT, default=0, show_default=True, help="HTTPS port on loopback; 0 is any free one.")
@click.option("--http", "http_port", type=_PORT, help="Listen on plain HTTP too, on this port; 0 is any free one.")
@click.option("--faults", type=_FILE, help="JSON or YAML file that scripts faults; read again when it changes.")
@click.option("--request-log", type=_FILE, help="File that gets one JSON line per request.")
def serve(data: Path | None, port: int, http_port: int | None, faults: Path | None, request_log: Path | None) -> None:
    """Serve until stopped; prints one JSON line when ready."""
    from apps.demo_org.server import ServeOptions
    from apps.demo_org.server import serve as run

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Its word on connections that were open at the end is not an error here.
    logging.getLogger("uvicorn.error").addFilter(lambda record: "graceful shutdown" not in record.getMessage())
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    options = ServeOptions(
        data=data.resolve() if data else None,
        port=port,
        http_port=http_port,
        faults=faults.resolve() if faults else None,
        request_log=request_log.resolve() if request_log else None,
    )
    run(options, _say)


def _say(line: str) -> None:
    """Print the ready line, flushed, and nothing else ever."""
    click.echo(line)
    sys.stdout.flush()
