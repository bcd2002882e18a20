"""Keeping forgotten people out: their rows leave the landed pages before anything reads them.

As long as the org holds the person it goes on sending the record. Rows of others that point at the person (activities,
memberships) stay, without the pointer and without personal values.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import duckdb

from data_contracts.contracts import contract_names, literal, load_contract, quoted
from pipelines.extract.pages import read_csv
from pipelines.publish.masking import class_of_field
from resources.files import sync_file, sync_folder
from resources.home import Home
from resources.landing import LandedPage, LandingFolder
from resources.tombstones import Tombstones, note_held, read_tombstones

#: References whose row is about the person they point at, in the objects of which that is so.
POINTERS = ("ContactId", "LeadId", "WhoId", "LeadOrContactId")
ABOUT = ("campaign_member", "opportunity_contact_role", "task", "event")


def keep_out(home: Home, folder: LandingFolder) -> int:
    """Drop the rows of forgotten records from the pages of a job; return how many the org still has of its object.

    The job then counts as if the org did not have them. Nothing happens where nobody was forgotten.
    """
    stones = read_tombstones(home)
    if not stones.everything:
        return 0
    manifest = folder.manifest
    mine = stones.of(manifest.object)
    seen: set[str] = set()
    with duckdb.connect(config={"memory_limit": "1GB", "temp_directory": str(home.root / "spill")}) as con:
        for number, page in enumerate(manifest.pages):
            if page.rows and (found := _found(con, folder, page, stones, mine)):
                seen |= found & mine
                dropped, written = _rewritten(con, folder, page, stones, mine)
                with folder.changing() as changed:
                    changed.pages[number] = written
                    changed.records = (changed.records or 0) - dropped
                    if changed.parts and changed.parts[page.part].records is not None:
                        changed.parts[page.part].records = (changed.parts[page.part].records or 0) - dropped
    if mine and manifest.purpose == "records":
        note_held(home, manifest.object, seen, whole=manifest.kind == "full" and not manifest.forgotten)
        held = len(read_tombstones(home).held.get(manifest.object, ()))
        with folder.changing() as changed:
            changed.forgotten = max(changed.forgotten, held)
    return manifest.forgotten


def keep_entities_out(con: duckdb.DuckDBPyConnection, home: Home, kind: str, table: str, key: str) -> None:
    """Delete forgotten entities of the reference from a staged table."""
    stones = read_tombstones(home)
    if hashes := stones.of(kind):
        con.execute(
            f"DELETE FROM {table} WHERE {stones.sql(quoted(key) + '::VARCHAR')} IN (SELECT unnest(?))", [sorted(hashes)]
        ).fetchall()


def _found(
    con: duckdb.DuckDBPyConnection, folder: LandingFolder, page: LandedPage, stones: Tombstones, mine: frozenset[str]
) -> set[str]:
    """Return the tombstones that rows of a page are of, or point at."""
    found: set[str] = set()
    references = ((name, stones.everything) for name in _references(folder))
    for column, wanted in [("Id", mine), *references]:
        if wanted:
            source = read_csv([folder.path / page.file], folder.manifest.fields)
            rows = con.execute(
                f"SELECT DISTINCT {stones.sql(quoted(column))} AS h FROM {source} AS p WHERE h IN (SELECT unnest(?))",
                [sorted(wanted)],
            ).fetchall()
            found |= {row[0] for row in rows}
    return found


def _rewritten(
    con: duckdb.DuckDBPyConnection, folder: LandingFolder, page: LandedPage, stones: Tombstones, mine: frozenset[str]
) -> tuple[int, LandedPage]:
    """Write a page anew without them; return the rows dropped and the page as it is now."""
    path = folder.path / page.file
    fields = folder.manifest.fields
    listed = ", ".join(map(literal, sorted(stones.everything)))
    own = ", ".join(map(literal, sorted(mine))) or "''"
    names = [field.name for field in fields]
    references = _references(folder)
    pointing = {name: f"coalesce({stones.sql(quoted(name))} IN ({listed}), false)" for name in references}
    about = [pointing[name] for name in POINTERS if name in pointing] if folder.manifest.object in ABOUT else []
    hidden = personal_fields(folder.manifest.object, names) if about else frozenset()
    values = []
    for name in names:
        test = " OR ".join(about) if name in hidden else pointing.get(name, "")
        values.append(f"CASE WHEN {test} THEN NULL ELSE {quoted(name)} END AS {quoted(name)}" if test else quoted(name))
    part = path.with_name(f"{path.name}.part")
    packed = "gzip" if path.suffix == ".gz" else "none"
    rows = con.execute(
        f"COPY (SELECT {', '.join(values)} FROM {read_csv([path], fields)} AS p WHERE {stones.sql(quoted('Id'))} "
        f"NOT IN ({own})) TO {literal(str(part))} (HEADER, FORCE_QUOTE *, COMPRESSION {packed})"
    ).fetchall()
    kept = int(rows[0][0])
    _settle(part, path)
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    changes = {"rows": kept, "bytes": path.stat().st_size, "sha256": digest}
    return page.rows - kept, page.model_copy(update=changes)


def personal_fields(table: str, names: Iterable[str]) -> frozenset[str]:
    """Return which fields of an object hold personal values, by its contract or by their words."""
    name = f"salesforce.{table}"
    found = load_contract(name).columns if name in contract_names() else ()
    promised = {column.name for column in found if column.personal}
    return frozenset(item for item in names if item in promised or (item != "Id" and class_of_field(item) != "other"))


def _references(folder: LandingFolder) -> list[str]:
    """Return the fields that point at another record: ids have 18 characters."""
    return [field.name for field in folder.manifest.fields if field.name != "Id"
            and (field.length == 18 or field.name.endswith("Id"))]  # fmt: skip


def _settle(part: Path, path: Path) -> None:
    sync_file(part)
    part.replace(path)
    sync_folder(path.parent)
