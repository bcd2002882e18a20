"""``crosswalk forget OBJECT ID``: erase a person from everything kept here, and prove it."""

import getpass
from dataclasses import asdict

import click

from apps.cli.output import print_json, print_table
from data_contracts.errors import CrosswalkError
from data_contracts.settings_file import load_settings
from pipelines.forget import Forgotten, find_person, forget
from pipelines.forget_subject import Subject
from resources.home import Home

OBJECTS = ("account", "contact", "lead", "company", "person")
AFTERWARDS = """\
Salesforce was not asked to do anything. As long as the org holds the record, every sync leaves it out here. To erase it
there: delete the record (and its activities), empty it from the recycle bin, and use the org's own privacy tools for
what backups, field history and other systems keep."""


class NotProvenError(CrosswalkError):
    """Something of the person was found after the erasure."""


@click.command(name="forget")
@click.argument("object_name", metavar="OBJECT", type=click.Choice(OBJECTS, case_sensitive=False))
@click.argument("identifier", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document; needs --yes.")
def command(object_name: str, identifier: str, yes: bool, as_json: bool) -> None:
    """Erase the person or company behind record ID of OBJECT from all files of this home, after asking.

    OBJECT is account, contact or lead with a Salesforce id, or company or person with the id of a reference entity.
    What was merged into the record or converted from it goes with it. It cannot be undone.
    """
    if as_json and not yes:
        raise click.UsageError("--json cannot ask: add --yes")
    home, settings = Home.from_environment(), load_settings()
    with home.lock(f"crosswalk forget {object_name}"):
        subject = find_person(home, settings, object_name, identifier)
        if not yes and not _agreed(subject):
            click.echo("Nothing was erased.")
            return
        done = forget(home, settings, object_name, subject, getpass.getuser())
    if as_json:
        print_json(asdict(done))
    else:
        _print(done)
    if done.proof and not done.proof.holds:
        raise NotProvenError(
            f"something of the person is still in {', '.join(done.proof.left)}",
            why="these files are not Crosswalk's own, or something writes to them",
            next_step="erase it there by hand, then run the same command again: it searches once more",
        )


def _agreed(subject: Subject) -> bool:
    rows = [
        (name, item) for part in (subject.ids, subject.entities) for name, ids in part.items() for item in sorted(ids)
    ]
    print_table("One person, to be erased here for good", ("object", "id"), rows)
    return click.confirm("Erase all of it? Salesforce is not touched, and this cannot be undone", default=False)


def _print(done: Forgotten) -> None:
    places = sorted({*done.rows, *done.cells})
    rows = [(place, done.rows.get(place, 0), done.cells.get(place, 0)) for place in places]
    print_table("Erased", ("place", "rows removed", "values blanked"), rows)
    for name in done.files:
        click.echo(f"Removed: {name}")
    if done.shared:
        click.echo(
            f"{done.shared} values of the person are also those of others (a city, a first name): they stay there."
        )
    for kind, ids in done.linked.items():
        for item in ids:
            click.echo(f"Linked to {kind} {item} of the reference, which is not Crosswalk's: erase it in its source, "
                       f"or keep it out here with: crosswalk forget {kind} {item}")  # fmt: skip
    if done.proof:
        click.echo(
            f"Searched {done.proof.files:,} files ({done.proof.bytes:,} bytes) for {done.proof.texts} ids and values: "
            + ("nothing of the person is left." if done.proof.holds else "something is left.")
        )
    click.echo("Kept: a salted hash of each id (forgotten.json), so that no sync brings the record back.")
    click.echo(AFTERWARDS)
