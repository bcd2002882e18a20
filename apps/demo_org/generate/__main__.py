"""``python -m apps.demo_org.generate --out DIR --size N``: write a demo org, its reference and its truth."""

import datetime as dt
import sys
import time
from pathlib import Path

import click

from apps.demo_org.generate.build import generate_demo
from data_contracts.errors import CrosswalkError


@click.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write into.")
@click.option("--size", default=2000, show_default=True, help="Accounts; the other objects follow unless given.")
@click.option("--contacts", type=int, help="Contacts, person accounts' own included; default: SIZE.")
@click.option("--leads", type=int, help="Leads; default: SIZE.")
@click.option("--opportunities", type=int, help="Opportunities; default: a quarter of SIZE.")
@click.option("--companies", type=int, help="Reference companies; default: SIZE.")
@click.option("--people", type=int, help="Reference people; default: twice SIZE.")
@click.option("--seed", default=20260101, show_default=True, help="Equal seeds give byte-equal files.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day the org was left; default: today, UTC.")
@click.option("--threads", type=int, help="DuckDB threads; the files do not depend on it.")
@click.option("--memory-limit", default="2GB", show_default=True, help="DuckDB memory; the rest goes to disk.")
def main(
    out: Path,
    size: int,
    contacts: int | None,
    leads: int | None,
    opportunities: int | None,
    companies: int | None,
    people: int | None,
    seed: int,
    as_of: dt.datetime | None,
    threads: int | None,
    memory_limit: str,
) -> None:
    """Write a demo org (CSV per object), reference/ and truth/ into a folder."""
    started = time.monotonic()
    try:
        summary = generate_demo(
            out,
            accounts=size,
            seed=seed,
            contacts=contacts,
            leads=leads,
            opportunities=opportunities,
            companies=companies,
            people=people,
            as_of=as_of.date() if as_of else None,
            threads=threads,
            memory_limit=memory_limit,
        )
    except CrosswalkError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    for name, rows in summary.rows.items():
        click.echo(f"{name:<36}{rows:>12,}")
    click.echo(f"{summary.folder}  as of {summary.as_of}  in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
