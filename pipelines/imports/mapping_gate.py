"""Whether the mapping of an object may be used: tested, and every field it was tested with still there and of its type.

Where it may not, the import of that object stands still and the others go on: ``imports.<object>`` and the entity it
feeds keep what they held, ``ops.import_stop`` says why. Testing one is ``pipelines.imports.mapping_trial``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from data_contracts.contracts import load_contract, quoted
from data_contracts.errors import SettingsError
from data_contracts.mapping import MappedObject, ObjectMapping, Target, effective_targets, mapping_hash
from data_contracts.mapping_rules import GONE, resolve_mapping
from data_contracts.settings import Settings
from pipelines.extract.state import watermark
from pipelines.imports.kept import prepare_state, start_anew
from pipelines.imports.mapping_fields import mirrored_types
from pipelines.run import RunContext
from pipelines.tables import ensure_table, table_columns
from resources.mapping_tests import MappingTests, PassedTest


@dataclass(frozen=True)
class Stop:
    """Why the import of an object stands still, and what makes it go on."""

    object: MappedObject
    mapping_hash: str
    reason: str
    next_step: str

    def __str__(self) -> str:
        return f"the import of {self.object} is stopped: {self.reason}; next: {self.next_step}"


def current_hash(settings: Settings, object_name: MappedObject) -> str:
    """Return the hash of an object's import mapping as the settings have it now."""
    return mapping_hash(effective_targets(settings, object_name), object_name)


def is_default(settings: Settings, object_name: MappedObject) -> bool:
    """Whether an object is imported by the shipped mapping, which counts as tested."""
    return current_hash(settings, object_name) == current_hash(Settings(), object_name)


def find_stop(
    con: duckdb.DuckDBPyConnection, object_name: MappedObject, settings: Settings, tests: MappingTests
) -> Stop | None:
    """Return why the mapping of an object may not be used on what the mirror holds now; None where it may.

    The shipped mapping needs no test. The first time it is used, the fields it reads are noted with their types, so
    that one which vanishes later is missed.
    """
    digest, types = current_hash(settings, object_name), _read_types(con, object_name)
    try:
        mapping = resolve_mapping(settings, object_name, types)
    except SettingsError as error:
        return Stop(object_name, digest, "; ".join(filter(None, [error.what, error.why])), error.next_step)
    test = tests.passed(object_name, digest)
    if test is None and not is_default(settings, object_name):
        return Stop(
            object_name,
            digest,
            f"the mapping under imports.mapping.{object_name} was changed (hash {digest}) and has not passed its test",
            f"run: crosswalk mapping test {object_name}, then: crosswalk sync",
        )
    fields = fields_read(mapping, types)
    if test is not None and (told := _drift(object_name, test.fields, types)):
        accept = f"restore it, change imports.mapping.{object_name}, or accept it: crosswalk mapping test {object_name}"
        return Stop(object_name, digest, told, f"{accept}, then: crosswalk sync")
    if types and (test is None or test.fields.keys() < fields.keys()):
        note_passed(tests, object_name, digest, fields, by=test.by if test else "default")
    return None


def note_passed(
    tests: MappingTests, object_name: str, mapping_hash: str, fields: Mapping[str, str], *, by: str = "test"
) -> None:
    """Keep that a mapping has passed, with the fields it reads and their types."""
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    tests.record(object_name, PassedTest(mapping_hash, moment, dict(fields), by))


def fields_read(mapping: ObjectMapping, types: Mapping[str, str]) -> dict[str, str]:
    """Return the org's fields that a mapping reads, with their Salesforce types."""
    return {name: types[name] for name in sorted(_sources(mapping.targets)) if name in types}


def _sources(targets: Sequence[Target]) -> set[str]:
    return {source for target in targets for source in target.sources if source}


def _read_types(con: duckdb.DuckDBPyConnection, object_name: str) -> dict[str, str]:
    """The fields that the last load brought, with their types: one that went while it was read is not among them."""
    types = mirrored_types(con, object_name)
    mark = watermark(con, object_name) if table_columns(con, "_state.watermark") else None
    if mark is None:
        return types
    read = {name.lower() for name in mark.fields}
    return {name: kind for name, kind in types.items() if name.lower() in read}


def _drift(object_name: str, tested: Mapping[str, str], types: Mapping[str, str]) -> str:
    """Say which tested fields are gone or of another type now; empty where all are as they were."""
    gone = [name for name in tested if name not in types]
    retyped = [name for name in tested if tested[name] and types.get(name, tested[name]) not in ("", tested[name])]
    told = []
    if gone:
        told.append(f"mapped field {', '.join(gone)} of {object_name} has vanished: {GONE}")
    if retyped:
        changes = ", ".join(f"{name} from {tested[name]} to {types[name]}" for name in retyped)
        told.append(
            f"mapped field of {object_name} changed its type: {changes}; an admin changed it, or it was deleted and "
            "made anew"
        )
    return "; ".join(told)


def settle_stop(con: duckdb.DuckDBPyConnection, object_name: MappedObject, stop: Stop | None, run: RunContext) -> None:
    """Bring ``ops.import_stop`` up to ``stop``; where there is one, records that are deleted leave ``imports.*``."""
    contract = load_contract("ops.import_stop")
    ensure_table(con, contract)
    began = con.execute("SELECT since FROM ops.import_stop WHERE object = ?", [object_name]).fetchall()
    con.execute("DELETE FROM ops.import_stop WHERE object = ?", [object_name]).fetchall()
    if stop is None:
        return
    since = began[0][0] if began else run.started_at.astimezone(UTC).replace(tzinfo=None)
    values = [object_name, since, run.run_id, stop.mapping_hash, stop.reason, stop.next_step]
    con.execute(
        "INSERT INTO ops.import_stop BY NAME SELECT ? AS object, ? AS since, ? AS run_id, ? AS mapping_hash, "
        "? AS reason, ? AS next_step",
        values,
    ).fetchall()
    kept = load_contract(f"imports.{object_name}")
    ensure_table(con, kept)
    # What it is made of is not followed while it stands still: the first run after it makes it anew.
    prepare_state(con)
    start_anew(con, object_name)
    con.execute(
        f"DELETE FROM {kept.relation} WHERE salesforce_id NOT IN "
        f"(SELECT Id FROM salesforce.{quoted(object_name)} WHERE NOT _is_deleted)"
    ).fetchall()


def stopped(con: duckdb.DuckDBPyConnection, objects: Sequence[str]) -> list[str]:
    """Return those of ``objects`` whose import stands still."""
    if not table_columns(con, "ops.import_stop"):
        return []
    rows = con.execute(
        "SELECT object FROM ops.import_stop WHERE list_contains(?::VARCHAR[], object) ORDER BY object", [list(objects)]
    ).fetchall()
    return [name for (name,) in rows]
