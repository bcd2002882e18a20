"""Erasing a person from everything Crosswalk keeps, and the proof of it.

In this order, so that a kill leaves nothing that comes back: the tombstone, the decisions store, landed files, every
DuckDB and Parquet file, then the search of the whole home. Salesforce and the reference's source are not touched.
"""

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from data_contracts.settings import Settings
from pipelines.forget_proof import Proof, kind_of, mentions, prove
from pipelines.forget_subject import (
    Subject,
    check_id,
    open_readonly,
    own_values,
    pattern_of,
    read_values,
    same_person,
    values_of_json,
)
from pipelines.forget_tables import Erasure, forget_in_duckdb, forget_in_parquet
from pipelines.imports.proposal_files import publish_proposals
from resources.decisions import DecisionStore
from resources.decisions_acts import add_audit
from resources.decisions_forget import forget_decisions, kept_texts
from resources.home import Home
from resources.tombstones import add_tombstones, read_tombstones
from resources.warehouse import Warehouse


@dataclass
class Forgotten:
    """What was erased where, what stays and why, and the proof; ids, and no value."""

    object: str
    ids: dict[str, list[str]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    cells: dict[str, int] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    linked: dict[str, list[str]] = field(default_factory=dict)
    shared: int = 0
    proof: Proof | None = None


def find_person(home: Home, settings: Settings, object_name: str, identifier: str) -> Subject:
    """Return who is meant, from every file that may know: the warehouse, snapshots, archives, the decisions store.

    Call it under the home's lock. Raises SettingsError for an id that cannot be one.
    """
    subject = Subject()
    first = check_id(object_name, identifier)
    if home.warehouse.is_file():
        # What a killed run left in its log goes into the file first: it is then opened for reading only.
        with Warehouse(home.warehouse, settings.limits.memory).connect() as con:
            con.execute("CHECKPOINT").fetchall()
    databases = [path for path in _files(home) if kind_of(path) == "duckdb"]
    for path in databases:
        with open_readonly(path) as con:
            found = same_person(con, object_name, first)
            found.values = read_values(con, found)
        subject.add(found)
    for store in _stores(home):
        with closing(store):
            for text in kept_texts(store, subject.all_ids):
                subject.values |= values_of_json(text)
    here = home.warehouse if home.warehouse.is_file() else next(iter(databases), None)
    with open_readonly(here) if here else closing(duckdb.connect()) as con:
        own_values(con, subject)
    return subject


def forget(home: Home, settings: Settings, object_name: str, subject: Subject, user: str) -> Forgotten:
    """Erase the person and prove it; call it under the home's lock. Doing it again is harmless.

    Raises WarehouseError when a file or the decisions store cannot be read or written.
    """
    done = Forgotten(object_name, shared=subject.shared)
    done.ids = {name: sorted(ids) for name, ids in (subject.ids | subject.entities).items() if ids}
    left = {name: ids - subject.entities.get(name, set()) for name, ids in subject.linked.items()}
    done.linked = {name: sorted(ids) for name, ids in left.items() if ids}
    for name, ids in done.ids.items():
        add_tombstones(home, name, ids)
    told, stones = Erasure(), read_tombstones(home)
    made = {identifier for ids in subject.entities.values() for identifier in ids}
    for number, store in enumerate(_stores(home)):
        with closing(store):
            gone = forget_decisions(store, subject.all_ids, made, pattern_of(subject))
            if not number:
                hashes = ", ".join(stones.hash(item)[:12] for ids in done.ids.values() for item in ids)
                add_audit(store, user, "forget", detail=f"{object_name}, tombstones {hashes}")
        for table, count in gone.items():
            told.add(table, count, 0)
    done.files += _forget_landed(home, subject)
    _forget_databases(home, settings, subject, told)
    done.files += _forget_rest(home, subject)
    if home.published.is_file():
        # The lists of proposals beside the snapshot, as it is now.
        publish_proposals(home.published)
    done.rows, done.cells = told.rows, told.cells
    done.proof = prove(home, subject)
    return done


def _files(home: Home) -> list[Path]:
    found = [path for path in sorted(home.root.rglob("*")) if path.is_file() and not path.is_symlink()]
    # The warehouse knows the ids best: what was merged and converted.
    return sorted(found, key=lambda path: path != home.warehouse)


def _stores(home: Home) -> Iterator[DecisionStore]:
    """The decisions store, then copies of it in archives."""
    yield DecisionStore(home.decisions_url)
    for path in sorted(home.root.glob("archive/*/decisions.db")):
        yield DecisionStore(f"sqlite:///{path}")


def _forget_landed(home: Home, subject: Subject) -> list[str]:
    """Remove landed jobs that hold anything of the person: what was loaded is not needed, the rest is asked again."""
    gone = []
    for root in (home.landing, *home.root.glob("archive/*/landing")):
        for path in sorted(root.rglob("*")):
            if not path.is_file() or not mentions(path, subject):
                continue
            target = path if path.parent == root else path.parent
            gone.append(str(target.relative_to(home.root)))
            if target.is_dir():
                shutil.rmtree(target)
            else:
                target.unlink()
    return gone


def _forget_databases(home: Home, settings: Settings, subject: Subject, told: Erasure) -> None:
    spill = home.root / "spill"
    for path in _files(home):
        kind = kind_of(path) if path.is_file() else ""
        name = str(path.relative_to(home.root))
        if kind == "duckdb" and ".forgetting" not in name:
            place = "" if path == home.warehouse else f"{name}: "
            forget_in_duckdb(path, subject, told, place, spill, settings.limits.memory)
        elif kind == "parquet":
            forget_in_parquet(path, subject, told, name)
    shutil.rmtree(spill, ignore_errors=True)


def _forget_rest(home: Home, subject: Subject) -> list[str]:
    """Remove what is left of killed runs and commands, and logs that name the person."""
    gone = []
    for path in _files(home):
        inside = path.relative_to(home.root).parts
        leftover = path.suffix in (".forgetting", ".tmp", ".part") or "compute_logs" in inside or inside[0] == "models"
        if leftover and mentions(path, subject):
            path.unlink()
            gone.append(str(path.relative_to(home.root)))
    return gone
