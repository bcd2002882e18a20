"""Resolution of one object, from its standard values to its crosswalk; each step is a module of its own."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from data_contracts.contracts import load_contract
from data_contracts.errors import LinkChangeLimitError
from data_contracts.settings import Matching, Settings
from pipelines.resolve import links
from pipelines.resolve.approval import TABLE, Stop, hold_to_limit, record_stop
from pipelines.resolve.basis import basis_of, compare_basis
from pipelines.resolve.frozen import freeze, start_counting
from pipelines.resolve.gathering import Gathered, gather
from pipelines.resolve.hopeless import kept_sql, list_pairs, note_hopeless
from pipelines.resolve.incremental import gather_changes, keep_index, signature_of
from pipelines.resolve.learning import learn
from pipelines.resolve.model import Model, latest_model, save_model
from pipelines.resolve.reference_index import reference_signature
from pipelines.resolve.rung_precision import RungPrecision, estimate_precision, read_precision
from pipelines.resolve.rungs import rungs_in_order
from pipelines.resolve.scoring import score_in_parts
from pipelines.resolve.scripts import run_script
from pipelines.resolve.sides import Object, Sides, kind_of
from pipelines.resolve.spark.scoring import score_on_spark
from pipelines.resolve.training import train
from pipelines.run import RunContext
from pipelines.tables import ensure_table, transaction
from resources.direct_engine import DirectEngine
from resources.resolution_engine import ResolutionEngine

Progress = Callable[[str], None]
_LOG = logging.getLogger(__name__)
#: Width of a bar of the histogram of match weights, in bits.
BAR = 2


@dataclass(frozen=True)
class ResolveResult:
    """What resolving an object came to. Counts are of records unless said otherwise.

    ``histogram`` holds (lower edge in bits, candidate pairs), each bar ``BAR`` bits wide. ``looked_at`` are the records
    resolved in this run: all, or after a small change those it can concern; what was cut is of these.
    """

    object: str
    records: int
    linked: int
    in_review: int
    unmatched: int
    skipped: int
    by_method: dict[str, int]
    by_rung: dict[str, int]
    candidates: int
    blocks_cut: int
    pairs_cut: int
    changes: int
    model: Model | None
    model_path: Path | None
    model_reused: bool
    histogram: list[tuple[float, int]] = field(default_factory=list)
    histogram_width: float = BAR
    rung_precision: tuple[RungPrecision, ...] = ()
    looked_at: int = 0
    seconds: float = 0.0


def resolve(
    con: duckdb.DuckDBPyConnection,
    name: Object,
    settings: Settings,
    run: RunContext,
    *,
    models_dir: Path,
    progress: Progress | None = None,
    engine: ResolutionEngine | None = None,
) -> ResolveResult:
    """Write ``match.<name>_candidate``, ``crosswalk.<name>`` and the run's ``ops.link_change``.

    Reads ``standard.*``, ``salesforce.<name>``, ``match.decision`` and, for contacts and leads, ``crosswalk.account``;
    any of them may be empty. A delta run uses the newest model that fits, a full run trains a new one and keeps it in
    ``models_dir``. Raises ResolutionError when a model cannot be used, or the Spark cluster of the settings.
    """
    say, began = progress or _LOG.info, time.monotonic()
    # What a run that failed half-way left.
    _forget(con)
    rungs = rungs_in_order(kind_of(name), settings.matching.rungs)
    kept = _kept_model(con, name, run, models_dir)
    signature = signature_of(settings.matching, kept[1] if kept else None)
    reference = reference_signature(kept[1], rungs) if kept else None
    seen = gather_changes(con, name, rungs, run, signature, kept[0]) if kept else None
    if seen is None:
        seen = gather(con, name, rungs, run, seed=settings.matching.seed, reference=reference)
    sides = seen.sides
    _tell(say, seen)
    model, path, reused = kept or (_trained(con, engine or DirectEngine(con), sides, run), None, False)
    precision = read_precision(con) if reused else estimate_precision(con, rungs, model)
    _score(con, engine or DirectEngine(con), sides, model, settings.matching, models_dir.with_name("spark"))
    note_hopeless(con, model)
    if model is not None and not reused:
        model = learn(con, sides, model)
        path = save_model(model, models_dir, run)
        freeze(con, path)
        signature, reference = signature_of(settings.matching, path), reference_signature(path, rungs)
    run_script(con, "unsettled.sql")
    links.judge(con, sides, settings.matching, model)
    candidates, changes = _write(con, seen, run, model, settings.matching, (signature, reference or ""))
    say(f"{name}: crosswalk written, {changes:,} links changed")
    result = _result(con, seen, (model, path, reused), candidates, changes, time.monotonic() - began)
    _forget(con)
    return replace(result, rung_precision=precision, looked_at=seen.records)


def _tell(say: Progress, seen: Gathered) -> None:
    """Say what was gathered, and which keys were too common to make candidates."""
    name, by_rung, found = seen.sides.object, sum(seen.by_rung.values()), seen.found
    whole = "changed records and those a change concerns" if seen.partial else "records"
    say(f"{name}: {seen.records:,} {whole} against {seen.sides.right:,} entities, {seen.decisions:,} decisions")
    say(f"{name}: rungs link {by_rung:,} records")
    say(f"{name}: {found.pairs:,} candidate pairs for {found.records:,} records; {found.blocks_cut:,} keys too common")
    for reason in found.reasons:
        say(f"{name}: {reason}")


def _write(
    con: duckdb.DuckDBPyConnection,
    seen: Gathered,
    run: RunContext,
    model: Model | None,
    matching: Matching,
    signatures: tuple[str, str],
) -> tuple[int, int]:
    """Write candidates, links and what changed; return how many candidates there are and how many links changed.

    ``signatures`` are those of the index for small changes and of the reference's keys.
    """
    sides, only = seen.sides, "_written" if seen.partial else None
    for table in ("ops.link_change", TABLE, f"match.{sides.object}_candidate"):
        ensure_table(con, load_contract(table))
    # A whole run makes its tables anew. After a small change, writing every block anew costs more than the change.
    con.execute("SET max_vacuum_tasks = 0" if seen.partial else "RESET max_vacuum_tasks").fetchall()
    try:
        # One transaction: a run killed in between would forget since when records are linked, and what it changed.
        with transaction(con):
            difference = compare_basis(con, sides, run, basis_of(model, matching), partial=seen.partial)
            links.write_crosswalk(con, sides, run, only=only)
            changes = links.write_link_changes(con, sides, run, difference, only=only)
            candidates = links.write_candidates(con, sides, only=only)
            keep_index(con, seen, run, signatures[0] if model else None, signatures[1])
            hold_to_limit(con, sides.object, matching, run, changes)
    except LinkChangeLimitError as error:
        if isinstance(error.stop, Stop):
            record_stop(con, error.stop)
        raise
    finally:
        con.execute("RESET max_vacuum_tasks").fetchall()
    return candidates, sum(item.records for item in changes)


def _result(
    con: duckdb.DuckDBPyConnection,
    seen: Gathered,
    model: tuple[Model | None, Path | None, bool],
    candidates: int,
    changes: int,
    seconds: float,
) -> ResolveResult:
    """Return the counts of what was just written."""
    name, found = seen.sides.object, seen.found
    counts = _counts(con, name)
    return ResolveResult(
        object=name,
        records=sum(counts.values()),
        linked=counts.get("linked", 0),
        in_review=counts.get("in_review", 0),
        unmatched=counts.get("unmatched", 0),
        skipped=counts.get("skipped", 0),
        by_method=dict(
            con.sql(f"SELECT method, count(*) FROM crosswalk.{name} WHERE status = 'linked' GROUP BY 1").fetchall()
        ),
        by_rung=links.by_rung(con, name, seen.by_rung),
        candidates=candidates,
        blocks_cut=found.blocks_cut,
        pairs_cut=found.pairs_cut,
        changes=changes,
        model=model[0],
        model_path=model[1],
        model_reused=model[2],
        histogram=_histogram(con, name),
        seconds=seconds,
    )


def _kept_model(
    con: duckdb.DuckDBPyConnection, name: Object, run: RunContext, folder: Path
) -> tuple[Model, Path, bool] | None:
    """Return the newest model that a delta run can reuse, and make its statistics those of this run."""
    found = latest_model(folder, Sides(name, kind_of(name), 0, 0, 0)) if run.kind == "delta" else None
    counted = start_counting(con, found[1] if found else None)
    return (*found, True) if found and counted else None


def _trained(con: duckdb.DuckDBPyConnection, engine: ResolutionEngine, sides: Sides, run: RunContext) -> Model | None:
    """Return a model of this data; none when there is nothing to compare."""
    if not con.sql("SELECT count(*) FROM _sample_pair").fetchall()[0][0]:
        return None
    return train(con, engine, sides, run)


def _score(
    con: duckdb.DuckDBPyConnection,
    engine: ResolutionEngine,
    sides: Sides,
    model: Model | None,
    matching: Matching,
    exchange: Path,
) -> None:
    """Create ``_scored`` with the weight of every pair that is not hopeless; empty without a model."""
    list_pairs(con)
    if model is None:
        con.execute("CREATE OR REPLACE TEMP TABLE _scored (l INTEGER, r INTEGER, match_weight DOUBLE)")
        con.execute(
            "CREATE OR REPLACE TEMP TABLE _name_alike "
            "(l INTEGER, r INTEGER, alike FLOAT, contained FLOAT, shared FLOAT, own FLOAT)"
        )
        return
    weights = ", ".join(f"mw_{c.name} AS weight_{c.name}" for c in model.comparisons)
    columns = (
        f"l, r, {model.together_sql} AS weight_together, match_weight + weight_together AS match_weight, {weights}"
    )
    if matching.engine == "spark" and con.sql("SELECT count(*) FROM _to_score").fetchall()[0][0]:
        score_on_spark(con, matching.spark, exchange, sides, "_to_score", model, "_splink")
        con.execute(f"CREATE OR REPLACE TEMP TABLE _scored AS SELECT {columns} FROM _splink WHERE {kept_sql()}")
        return
    given = (model.comparisons, model.parameters, model.prior)
    score_in_parts(con, engine, sides, "_to_score", given, "_scored", columns, known=True, kept=kept_sql())


def _counts(con: duckdb.DuckDBPyConnection, name: str) -> dict[str, int]:
    return dict(con.sql(f"SELECT status, count(*) FROM crosswalk.{name} GROUP BY status").fetchall())


def _histogram(con: duckdb.DuckDBPyConnection, name: str) -> list[tuple[float, int]]:
    return con.sql(
        f"SELECT floor(match_weight / {BAR}) * {BAR} AS edge, count(*) FROM match.{name}_candidate "
        "WHERE match_weight IS NOT NULL GROUP BY edge ORDER BY edge"
    ).fetchall()


def _forget(con: duckdb.DuckDBPyConnection) -> None:
    """Drop the working tables: the connection may go on to other work, and memory is bounded."""
    for kind, name in con.sql(
        "SELECT 'VIEW', view_name FROM duckdb_views() WHERE temporary AND starts_with(view_name, '_') UNION ALL "
        "SELECT 'TABLE', table_name FROM duckdb_tables() WHERE temporary AND starts_with(table_name, '_')"
    ).fetchall():
        con.execute(f'DROP {kind} "{name}"')
