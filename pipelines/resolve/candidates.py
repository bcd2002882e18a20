"""Candidate pairs by block keys, in bounded blocks; and how telling each word is.

The keys themselves are listed in ``keys_company.sql`` and ``keys_person.sql``.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.resolve.scripts import run_script
from pipelines.resolve.sides import Sides

_SQL = Path(__file__).parent
#: Entities of the reference that may share one key; beyond it the key tells too little to be worth its pairs.
BLOCK = 40
#: Records of Salesforce that may share such a key; many branches of one company are one block.
PRODUCT = 2_000
#: Candidates kept per record.
MOST = 15


@dataclass(frozen=True)
class Candidates:
    """Counts of blocking: candidate pairs, records with at least one, blocks that were cut, and pairs not made."""

    pairs: int
    records: int
    blocks_cut: int
    pairs_cut: int


def weigh_words(con: duckdb.DuckDBPyConnection, sides: Sides) -> None:
    """Create ``_word`` (document frequencies in the reference) and ``_<side>_word(s)``; define the macros."""
    run_script(con, "similarity.sql")
    run_script(con, "weights.sql", entities=max(sides.right, 2))
    for side in ("left", "right"):
        run_script(con, "words.sql", side=side)


def find_pairs(con: duckdb.DuckDBPyConnection, sides: Sides) -> Candidates:
    """Create ``_pair`` (l, r, block_keys, shared_rarity) for the records in ``_residue``."""
    prefix = max(4, math.ceil(math.log(max(sides.right, 2), 10)) + 2)
    for side in ("left", "right"):
        keys = (_SQL / f"keys_{sides.kind}.sql").read_text(encoding="utf-8").replace("{side}", side)
        residue = "SEMI JOIN _residue USING (n)" if side == "left" else ""
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE _{side}_key AS SELECT DISTINCT * FROM ({keys}) {residue} "
            "WHERE value IS NOT NULL AND value <> ''",
            {"prefix": prefix},
        )
    run_script(con, "pairs.sql", entities=max(sides.right, 2), block=BLOCK, product=PRODUCT, most=MOST)
    counts = con.sql(
        "SELECT (SELECT count(*) FROM _pair), (SELECT count(DISTINCT l) FROM _pair), "
        "count(*), coalesce(sum(entities * records), 0)::BIGINT FROM _block WHERE NOT kept"
    ).fetchall()[0]
    return Candidates(*counts)
