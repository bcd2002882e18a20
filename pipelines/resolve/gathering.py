"""Everything of one object up to its candidate pairs: both sides, decisions, rungs, blocks.

The whole of it; what a small change needs is in ``incremental.py``.
"""

from dataclasses import dataclass

import duckdb

from pipelines.resolve.candidates import Candidates, block_keys, find_blocks, pair_up, weigh_side, weigh_words
from pipelines.resolve.judgements import apply_judgements
from pipelines.resolve.reference_index import read_reference, reference_is_kept
from pipelines.resolve.rungs import Rung, climb, rung_keys
from pipelines.resolve.scripts import run_script
from pipelines.resolve.sides import Object, Sides, describe_sides, number_sides
from pipelines.resolve.training import SAMPLE
from pipelines.run import RunContext


@dataclass(frozen=True)
class Gathered:
    """What there is to weigh: the sides, the candidates found, links per rung, decisions that count, records looked at.

    ``partial`` is whether ``_left`` holds only the records that a change can concern, ``reference_kept`` whether the
    reference's keys are those an earlier run kept.
    """

    sides: Sides
    found: Candidates
    by_rung: dict[str, int]
    decisions: int
    records: int
    partial: bool = False
    reference_kept: bool = False


def gather(
    con: duckdb.DuckDBPyConnection,
    name: Object,
    rungs: tuple[Rung, ...],
    run: RunContext,
    *,
    seed: int,
    reference: str | None,
) -> Gathered:
    """Create ``_left``, ``_right``, ``_decided``, ``_rung_hit``, ``_pair`` and what belongs to them, for every record.

    ``reference`` is the signature the kept keys of the reference must have to be used. None is for training: then
    candidates are also found for a sample of the records that rungs link.
    """
    describe_sides(con, name)
    kept = reference is not None and reference_is_kept(con, name, reference)
    sides = number_sides(con, name, f"_state.{name}_kept_entity" if kept else None)
    decisions = apply_judgements(con, sides, run)
    weigh_words(con, sides)
    for side in ("left", "right"):
        weigh_side(con, side)
    rung_keys(con, rungs, "left")
    if kept:
        read_reference(con, name)
    else:
        rung_keys(con, rungs, "right")
        block_keys(con, sides, "right")
    by_rung = climb(con, rungs)
    run_script(con, "residue.sql", seed=seed, sample=SAMPLE if reference is None else 0)
    block_keys(con, sides, "left")
    find_blocks(con, sides)
    found = pair_up(con, sides)
    run_script(con, "sample.sql")
    return Gathered(sides, found, by_rung, decisions, sides.left, reference_kept=kept)
