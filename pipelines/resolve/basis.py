"""What links are made from, run by run: hashes of every standard row, the decisions in force, the model, the settings.

Kept in ``_state`` beside the crosswalk and written in its transaction, so that a later run can tell exactly which of
them is another one now. What a difference means for a link is said in ``link_change.sql``.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version

import duckdb

from data_contracts.contracts import load_contract, quoted
from data_contracts.settings import Matching
from pipelines.resolve.decisions import IN_FORCE
from pipelines.resolve.model import Model
from pipelines.resolve.scripts import run_script
from pipelines.resolve.sides import Object, Sides
from pipelines.run import RunContext
from pipelines.standardize.standardize import cleaning_version
from pipelines.tables import scalar

#: Of a model: what says when, where and from how much it was trained, and nothing about what it answers.
_ORIGIN = ("run_id", "trained_at", "input_hash", "trained_on")
#: Of the matching settings: what decides no link.
_NO_LINK = {"max_link_changes"}


@dataclass(frozen=True)
class Basis:
    """What the links of one run are made with, beside data, reference and decisions, each as a short hash.

    ``version`` stands for Crosswalk, its way of cleaning and DuckDB, whose hashes are compared; ``model_version`` is
    the name in the model's file.
    """

    model: str | None
    settings: str
    version: str
    model_version: str | None = None


@dataclass(frozen=True)
class Difference:
    """What differs from the object's run before.

    ``known`` is whether that run left a basis; ``last`` its place in the order of runs (0 without one), ``entities``
    how many rows of the reference are new, changed or gone since.
    """

    known: bool
    last: int
    model: bool
    settings: bool
    version: bool
    entities: int


def basis_of(model: Model | None, matching: Matching) -> Basis:
    """Return the basis of a run with this model and these settings."""
    answers = {name: value for name, value in asdict(model).items() if name not in _ORIGIN} if model else None
    rules = matching.model_dump(mode="json", exclude=_NO_LINK)
    made_by = [_version(), cleaning_version(), duckdb.__version__]
    return Basis(_short(answers) if answers else None, _short(rules), _short(made_by), model.version if model else None)


def compare_basis(
    con: duckdb.DuckDBPyConnection, sides: Sides, run: RunContext, basis: Basis, *, partial: bool = False
) -> Difference:
    """Bring the kept basis of an object up to this run, and return what differs from its run before.

    Call it within the transaction that writes the crosswalk: a run that is undone leaves the basis of the one before.
    ``partial`` says that ``_changed_left`` and ``_changed_right`` (id) hold every row that changed since then.
    """
    run_script(con, "basis_tables.sql")
    before = con.execute(
        "SELECT place, model, settings, version FROM _state.link_run WHERE object = $object", {"object": sides.object}
    ).fetchall()
    place = scalar(con, "SELECT max(place) FROM _state.link_run") + 1
    kinds = {sides.object: "_changed_left", sides.kind: "_changed_right"}
    for kind, changed in kinds.items():
        _refresh(con, kind, place, changed if partial else None)
    # A person's employer is evidence too.
    _refresh(con, "company", place, None)
    _refresh_decisions(con, sides.object, run, place)
    con.execute("DELETE FROM _state.link_run WHERE object = $object", {"object": sides.object}).fetchall()
    con.execute(
        "INSERT INTO _state.link_run VALUES ($object, $run_id, $place, $model, $settings, $version, $model_version)",
        {"object": sides.object, "run_id": run.run_id, "place": place, **asdict(basis)},
    ).fetchall()
    last, *others = before[0] if before else (0, None, None, None)
    now = (basis.model, basis.settings, basis.version)
    model, settings, made_by = (bool(before) and old != new for old, new in zip(others, now, strict=True))
    return Difference(bool(before), last, model, settings, made_by, _changed(con, (sides.kind, "company"), last))


def _refresh(con: duckdb.DuckDBPyConnection, kind: str, place: int, changed: str | None) -> None:
    """Note which rows of ``standard.<kind>`` are new, other or gone; only those are written."""
    contract = load_contract(f"standard.{kind}")
    key = quoted(contract.columns[0].name)
    # Hashed twice: the hash of two values is linear in them, and rows that exchange their ids would look the same.
    mark = con.sql(f"SELECT bit_xor(hash(hash({key}, _input_hash))) FROM standard.{kind}").fetchall()[0][0]
    if con.execute("SELECT mark FROM _state.basis_mark WHERE kind = $kind", {"kind": kind}).fetchall() == [(mark,)]:
        return
    con.execute("DELETE FROM _state.basis_mark WHERE kind = $kind", {"kind": kind}).fetchall()
    con.execute("INSERT INTO _state.basis_mark VALUES ($kind, $mark)", {"kind": kind, "mark": mark}).fetchall()
    scoped = {
        "scoped_rows": f"WHERE rowid IN (SELECT s.rowid FROM standard.{kind} s SEMI JOIN {changed} c ON c.id = s.{key})"
        if changed
        else "",
        "scoped_basis": f"SEMI JOIN {changed} USING (id)" if changed else "",
    }
    values = ", ".join(quoted(column.name) for column in contract.columns if not column.name.startswith("_"))
    parts = {"kind": kind, "key": key, "values": values, **scoped}
    run_script(con, "basis.sql", replace=parts, place=place)


def _refresh_decisions(con: duckdb.DuckDBPyConnection, name: Object, run: RunContext, place: int) -> None:
    at = run.started_at.replace(tzinfo=None)
    run_script(con, "basis_decisions.sql", replace={"in_force": IN_FORCE}, object=name, at=at, place=place)


def _changed(con: duckdb.DuckDBPyConnection, kinds: tuple[str, ...], last: int) -> int:
    names = ", ".join(f"'{kind}'" for kind in kinds)
    return scalar(con, f"SELECT sum(rows) FROM _state.basis_log WHERE kind IN ({names}) AND place > {last}")


def _short(document: object) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def _version() -> str:
    try:
        return version("crosswalk")
    except PackageNotFoundError:
        return "unknown"
