"""Resolution of one object, from its standard values to its crosswalk; each step is a module of its own."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from data_contracts.errors import SettingsError
from data_contracts.settings import Settings
from pipelines.resolve import links
from pipelines.resolve.candidates import Candidates, find_pairs, weigh_words
from pipelines.resolve.judgements import apply_judgements
from pipelines.resolve.learning import learn
from pipelines.resolve.model import Model, latest_model, save_model
from pipelines.resolve.rungs import climb, rungs_in_order
from pipelines.resolve.scoring import score
from pipelines.resolve.scripts import run_script
from pipelines.resolve.sides import Object, Sides, read_sides
from pipelines.resolve.training import SAMPLE, train
from pipelines.run import RunContext
from pipelines.tables import transaction
from resources.resolution_engine import DuckDBEngine, ResolutionEngine

Progress = Callable[[str], None]
_LOG = logging.getLogger(__name__)
#: Width of a bar of the histogram of match weights, in bits.
BAR = 2


@dataclass(frozen=True)
class ResolveResult:
    """What resolving an object came to. Counts are of records unless said otherwise.

    ``histogram`` holds (lower edge in bits, candidate pairs), each bar ``BAR`` bits wide.
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
    ``models_dir``. Raises ResolutionError when a model cannot be used, SettingsError for an engine that is not there.
    """
    if settings.matching.engine != "duckdb":
        raise SettingsError(
            f"matching.engine is {settings.matching.engine}",
            why="this version resolves on DuckDB only",
            next_step="set matching.engine: duckdb in crosswalk.yaml",
        )
    say, began = progress or _LOG.info, time.monotonic()
    sides = read_sides(con, name)
    decided = apply_judgements(con, sides, run)
    say(f"{name}: {sides.left:,} records against {sides.right:,} entities, {decided:,} decisions")
    weigh_words(con, sides)
    by_rung = climb(con, rungs_in_order(sides, settings.matching.rungs))
    say(f"{name}: rungs link {sum(by_rung.values()):,} records")
    found = _find_candidates(con, sides, settings.matching.seed)
    say(f"{name}: {found.pairs:,} candidate pairs for {found.records:,} records; {found.blocks_cut:,} keys too common")
    model, path, reused = _model(con, engine or DuckDBEngine(con), sides, run, models_dir)
    _score(con, engine or DuckDBEngine(con), sides, model)
    if model is not None and not reused:
        model = learn(con, sides, model)
        path = save_model(model, models_dir, run)
    links.judge(con, sides, settings.matching, model)
    # One transaction: a run killed in between would forget since when records are linked, and what it changed.
    with transaction(con):
        candidates = links.write_candidates(con, sides)
        links.write_crosswalk(con, sides, run)
        changes = links.write_link_changes(con, sides, run, same_model=reused or path is None)
    say(f"{name}: crosswalk written, {changes:,} links changed")
    result = _result(con, name, found, by_rung, (model, path, reused), candidates, changes, time.monotonic() - began)
    _forget(con)
    return result


def _result(
    con: duckdb.DuckDBPyConnection,
    name: Object,
    found: Candidates,
    by_rung: dict[str, int],
    model: tuple[Model | None, Path | None, bool],
    candidates: int,
    changes: int,
    seconds: float,
) -> ResolveResult:
    """Return the counts of what was just written."""
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
        by_rung=by_rung,
        candidates=candidates,
        blocks_cut=found.blocks_cut,
        pairs_cut=found.pairs_cut,
        changes=changes,
        model=model[0],
        model_path=model[1],
        model_reused=model[2],
        histogram=_histogram(con),
        seconds=seconds,
    )


def _find_candidates(con: duckdb.DuckDBPyConnection, sides: Sides, seed: int) -> Candidates:
    """Find the candidates of every record no rung has linked, and of a sample of all records to learn from."""
    run_script(con, "residue.sql", seed=seed, sample=SAMPLE)
    found = find_pairs(con, sides)
    run_script(con, "sample.sql")
    return found


def _model(
    con: duckdb.DuckDBPyConnection, engine: ResolutionEngine, sides: Sides, run: RunContext, folder: Path
) -> tuple[Model | None, Path | None, bool]:
    """Return the model, its file and whether it is an earlier run's; no model when there is nothing to compare."""
    kept = latest_model(folder, sides) if run.kind == "delta" else None
    if kept is not None:
        return (*kept, True)
    if not con.sql("SELECT count(*) FROM _sample_pair").fetchall()[0][0]:
        return None, None, False
    return train(con, engine, sides, run), None, False


def _score(con: duckdb.DuckDBPyConnection, engine: ResolutionEngine, sides: Sides, model: Model | None) -> None:
    """Create ``_scored`` with the weight of every pair; empty without a model."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _to_score AS SELECT l, r FROM _pair UNION SELECT l, r FROM _rung_hit "
        "UNION SELECT l, r FROM _decided "
        "UNION SELECT l, r FROM _inherited WHERE judgement = 'positive'"
    )
    if model is None:
        con.execute("CREATE OR REPLACE TEMP TABLE _scored (l INTEGER, r INTEGER, match_weight DOUBLE)")
        con.execute(
            "CREATE OR REPLACE TEMP TABLE _name_alike "
            "(l INTEGER, r INTEGER, alike FLOAT, contained FLOAT, shared FLOAT)"
        )
        return
    score(con, engine, sides, "_to_score", model.comparisons, model.parameters, model.prior, "_splink")
    weights = ", ".join(f"mw_{c.name} AS weight_{c.name}" for c in model.comparisons)
    con.execute(f"CREATE OR REPLACE TEMP TABLE _scored AS SELECT l, r, match_weight, {weights} FROM _splink")


def _counts(con: duckdb.DuckDBPyConnection, name: str) -> dict[str, int]:
    return dict(con.sql(f"SELECT status, count(*) FROM crosswalk.{name} GROUP BY status").fetchall())


def _histogram(con: duckdb.DuckDBPyConnection) -> list[tuple[float, int]]:
    return con.sql(
        f"SELECT floor(match_weight / {BAR}) * {BAR} AS edge, count(*) FROM _scored GROUP BY edge ORDER BY edge"
    ).fetchall()


def _forget(con: duckdb.DuckDBPyConnection) -> None:
    """Drop the working tables: the connection may go on to other work, and memory is bounded."""
    for (table,) in con.sql(
        "SELECT table_name FROM duckdb_tables() WHERE temporary AND starts_with(table_name, '_')"
    ).fetchall():
        con.execute(f'DROP TABLE "{table}"')
