"""Candidate pairs by block keys, in bounded blocks; and how telling each word is.

The keys themselves are listed in ``keys_company.sql`` and ``keys_person.sql``. What a block may hold depends on the
reference alone: whether an entity is a candidate of a record does not depend on the other records.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.resolve.frozen import is_counted, number
from pipelines.resolve.scripts import run_script
from pipelines.resolve.sides import Kind, Sides

_SQL = Path(__file__).parent
#: Entities of the reference that may share one key; beyond it the key tells too little to be worth its pairs.
BLOCK = 40
#: Candidates kept per record.
MOST = 15
#: Bytes a pair takes while the best of a record are chosen; parts of the records are as large as memory allows.
BYTES_PER_PAIR = 200
_KIND = re.compile(r"(SELECT (?:DISTINCT )?n, )'([^']+)'")


@dataclass(frozen=True)
class Candidates:
    """Counts of blocking: candidate pairs, records with at least one, blocks that were cut, and pairs not made.

    ``reasons`` says per kind of key how many blocks were cut, and why.
    """

    pairs: int
    records: int
    blocks_cut: int
    pairs_cut: int
    reasons: tuple[str, ...] = ()


def weigh_words(con: duckdb.DuckDBPyConnection, sides: Sides) -> None:
    """Create ``_word`` (document frequencies in the reference) and define the macros that compare with it.

    Also ``_rare_last`` and ``_rare_first``, the same of a person's names.

    Frequencies that were frozen with a model are not counted again.
    """
    run_script(con, "similarity.sql")
    if not is_counted(con, "_word"):
        run_script(con, "weights.sql", entities=sides.entities)
    if not is_counted(con, "_rare_last"):
        names = {"last": "last_squashed", "first": "first_squashed"}
        nothing = dict.fromkeys(names, "NULL::VARCHAR")
        run_script(con, "rarity.sql", entities=sides.entities, replace=names if sides.kind == "person" else nothing)


def weigh_side(con: duckdb.DuckDBPyConnection, side: str) -> None:
    """Create ``_<side>_words``, the words of each row of one side with their weights."""
    run_script(con, "words.sql", side=side)


def key_kinds(kind: Kind) -> tuple[str, ...]:
    """Return the kinds of keys there are, in the order of the numbers they have in key tables."""
    found = _KIND.findall((_SQL / f"keys_{kind}.sql").read_text(encoding="utf-8"))
    return tuple(sorted({name for _, name in found}))


def block_keys(con: duckdb.DuckDBPyConnection, sides: Sides, side: str) -> None:
    """Create ``_<side>_key`` (h, kind, n): the hash of every key of the rows of one side.

    Of records, only those in ``_residue`` get keys. Reads the words of the side as well.
    """
    rows, table = "right", "_right"
    if side == "left":
        rows, table = "keyed", "(FROM _left SEMI JOIN _residue USING (n))"
        con.execute("CREATE OR REPLACE TEMP TABLE _keyed_words AS FROM _left_words SEMI JOIN _residue USING (n)")
    run_script(con, "keys.sql")
    run_script(con, "word.sql", side=rows)
    run_script(con, f"named_{sides.kind}.sql", side=rows, replace={"rows": table})
    kinds = key_kinds(sides.kind)
    prefix = number(con, "prefix", max(4, math.ceil(math.log(sides.entities, 10)) + 2))
    text = re.sub(r"--.*", "", (_SQL / f"keys_{sides.kind}.sql").read_text(encoding="utf-8"))
    text = _KIND.sub(lambda found: f"{found[1]}{kinds.index(found[2])}::UTINYINT", text).replace("{side}", rows)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE _{side}_key AS SELECT hash(kind, value) AS h, kind, n FROM ({text}) "
        "WHERE value IS NOT NULL",
        {"prefix": int(prefix)},
    )


def find_blocks(con: duckdb.DuckDBPyConnection, sides: Sides) -> None:
    """Create ``_block`` from ``_left_key`` and ``_right_key``: the keys both have, and which are too common."""
    run_script(con, "rarity_of_blocks.sql")
    run_script(con, "block.sql", entities=sides.entities, block=BLOCK)


def pair_up(con: duckdb.DuckDBPyConnection, sides: Sides) -> Candidates:
    """Create ``_pair`` and ``_too_common`` from ``_left_key``, ``_right_key`` and ``_block``, as memory allows."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _pair (l INTEGER, r INTEGER, kinds UINTEGER, shared_rarity DOUBLE, nth UTINYINT)"
    )
    to_make = con.sql("SELECT coalesce(sum(entities * records), 0)::BIGINT FROM _block WHERE kept").fetchall()[0][0]
    parts = max(1, math.ceil(to_make * BYTES_PER_PAIR / share_of_memory(con)))
    for part in range(parts):
        run_script(con, "pairs.sql", most=MOST, parts=parts, part=part)
    run_script(con, "too_common.sql")
    pairs, records, blocks, not_made = con.sql(
        "SELECT (SELECT count(*) FROM _pair), (SELECT count(DISTINCT l) FROM _pair), "
        "count(*), coalesce(sum(entities * records), 0)::BIGINT FROM _block WHERE NOT kept"
    ).fetchall()[0]
    return Candidates(pairs, records, blocks, not_made, _reasons(con, key_kinds(sides.kind)))


def _reasons(con: duckdb.DuckDBPyConnection, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Say which kinds of keys were cut, without a value: values may be personal."""
    rows = con.sql(
        "SELECT kind, count(*), max(entities), sum(records) FROM _block WHERE NOT kept GROUP BY kind ORDER BY 2 DESC, 1"
    ).fetchall()
    return tuple(
        f"{blocks:,} keys of kind '{kinds[kind]}' are shared by more than {BLOCK} entities (the most common by "
        f"{largest:,}) and make no candidates for {records:,} records"
        for kind, blocks, largest, records in rows
    )


def share_of_memory(con: duckdb.DuckDBPyConnection) -> int:
    """Return a third of the memory DuckDB may use, in bytes."""
    text = str(con.sql("SELECT current_setting('memory_limit')").fetchall()[0][0])
    size, unit = re.match(r"([0-9.]+)\s*([KMGT]?)", text).groups()  # type: ignore[union-attr]
    return int(float(size) * 1024 ** " KMGT".index(unit or " ") / 3)
