"""``crosswalk rollback``: let analysts read an earlier snapshot again, until the next run publishes."""

import getpass

import click

from apps.cli.output import print_json, print_table
from data_contracts.settings_file import load_settings
from pipelines.publish.rollback import Kept, kept_snapshots, record_publication, roll_back
from resources.home import Home
from resources.warehouse import Warehouse


@click.command(name="rollback")
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option("--list", "only_list", is_flag=True, help="Show the snapshots that are kept, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(run_id: str | None, only_list: bool, as_json: bool) -> None:
    """Put the snapshot that RUN published back in place; without RUN, the one before the current.

    Analysts read it from the next time they open the file. The warehouse keeps what the latest run came to, and the
    next run publishes it. The snapshot that was in place is kept: roll forward to it by its run.
    """
    home = Home.from_environment()
    if only_list:
        _list(kept_snapshots(home), as_json)
        return
    settings = load_settings()
    with home.lock("crosswalk rollback"):
        done = roll_back(home, run_id)
        if home.warehouse.is_file():
            with Warehouse(home.warehouse, settings.limits.memory).connect() as con:
                record_publication(con, "rolled back", done.now.run_id, getpass.getuser(), done.before.run_id)
    if as_json:
        print_json({"published": done.now.run_id, "before": done.before.run_id, "kept": str(done.kept)})
        return
    click.echo(f"Analysts now read what run {done.now.run_id} published at {done.now.published_at:%Y-%m-%d %H:%M} UTC,")
    click.echo(f"instead of run {done.before.run_id} ({done.before.published_at:%Y-%m-%d %H:%M} UTC), which is kept.")
    click.echo(
        "The next run publishes anew. To keep this one in place, switch the schedules off until the cause is mended."
    )
    click.echo(f"Forward again: crosswalk rollback {done.before.run_id}")


def _list(found: list[Kept], as_json: bool) -> None:
    rows = [(item.run_id, item.run_kind, f"{item.published_at:%Y-%m-%d %H:%M}", item.current) for item in found]
    if as_json:
        print_json([dict(zip(("run_id", "kind", "published_at", "current"), row, strict=True)) for row in rows])
    else:
        print_table("Snapshots", ("run", "kind", "published (UTC)", "in place"),
                    [(*row[:3], "yes" if row[3] else "") for row in rows])  # fmt: skip
