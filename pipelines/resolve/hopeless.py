"""Pairs that share a key and nothing that matters: found, weighed, counted, and not listed.

Nine candidates in ten lie tens of bits below anything a person or a threshold asks for. They compete with nobody, so
what is ranked, decided, published and looked at again after a change leaves them out. A record shows the best two by
keys all the same, and whatever a rung or a person named; records that people decided on keep all, because a second
stage learns from what was turned down.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from pipelines.resolve.candidates import weigh_side
from pipelines.resolve.model import Model
from pipelines.resolve.scoring import score_in_parts
from pipelines.resolve.scripts import run_script
from pipelines.resolve.sides import Sides, fetch_side
from pipelines.tables import scalar
from resources.direct_engine import DirectEngine

#: Bits of all comparisons and the prior below which a pair is hopeless: 1 to 32,768, before its rivals are considered.
FLOOR = -15.0
#: Candidates a record shows however little they weigh, those with the rarest keys: as a rule the link and its rival.
SHOWN = 2


def list_pairs(con: duckdb.DuckDBPyConnection) -> None:
    """Create ``_paired``, every pair there is anything to say of, and ``_to_score`` (l, r)."""
    run_script(con, "paired.sql", shown=SHOWN)


def kept_sql() -> str:
    """Return SQL over ``l``, ``r`` and ``match_weight`` for the pairs of ``_paired`` that are not hopeless."""
    return f"match_weight >= {FLOOR} OR (l, r) IN (SELECT l, r FROM _paired WHERE spared)"


def left_out(link: Mapping[str, Any], listed: Sequence[object]) -> int:
    """Return how many candidates of a row of the crosswalk are not ``listed`` because they are hopeless."""
    return max(0, int(link["candidate_count"] or 0) - len(listed))


def note_hopeless(con: duckdb.DuckDBPyConnection, model: Model | None) -> None:
    """Create ``_hopeless`` (l, r): the pairs of ``_paired`` that scoring left out; none without a model."""
    rows = "ANTI JOIN _scored USING (l, r)" if model else "LIMIT 0"
    con.execute(f"CREATE OR REPLACE TEMP TABLE _hopeless AS SELECT l, r FROM _paired {rows}")


def weigh_again(con: duckdb.DuckDBPyConnection, sides: Sides, model: Model) -> None:
    """Create ``_hopeful`` (n), the records of the pairs ``_again`` (l, r) that are hopeless no more.

    Their entities are in ``_right`` with their words; the records are fetched to ``_left``.
    """
    if not scalar(con, "SELECT count(*) FROM _again"):
        con.execute("CREATE OR REPLACE TEMP TABLE _hopeful (n INTEGER)")
        return
    kept = f"_state.{sides.object}_kept_record"
    fetch_side(con, "left", f"SELECT n, id FROM {kept} SEMI JOIN (SELECT l AS n FROM _again) USING (n)")
    weigh_side(con, "left")
    given = (model.comparisons, model.parameters, model.prior)
    score_in_parts(con, DirectEngine(con), sides, "_again", given, "_weighed_again", "l, match_weight")
    run_script(con, "hopeful.sql", floor=FLOOR)
