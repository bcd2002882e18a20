"""The SQL that shows everything known of pairs that met; who reads it is ``links.py`` and ``learning.py``."""

import re
from pathlib import Path

import duckdb

from pipelines.resolve.sides import Kind, Sides
from pipelines.resolve.vetoes import VETOES, alike_join

_SQL = Path(__file__).parent / "met.sql"
#: What is known of two names beyond the level their comparison is on.
_LIKENESS: dict[Kind, dict[str, str]] = {
    "company": {
        "alike": "a.alike",
        "contained": "a.contained",
        "shared": "a.shared",
        "numbers_differ": "len(l.name_numbers) > 0 AND len(r.name_numbers) > 0 "
        "AND NOT list_has_any(l.name_numbers, r.name_numbers)",
    },
    "person": {"alike": "NULL::FLOAT"},
}


def known_of_pairs(kind: Kind) -> dict[str, str]:
    """Return what is known of a pair beside its weights: SQL over the sides ``l`` and ``r`` and the likeness ``a``."""
    return {
        "place": "r.place",
        "same_country": "coalesce(l.country_code = r.country_code, false)",
        "employees": "r.employees" if kind == "company" else "NULL::BIGINT",
        "veto": VETOES[kind],
        **_LIKENESS[kind],
    }


def met_pairs(con: duckdb.DuckDBPyConnection, sides: Sides, pairs: str | None = None) -> str:
    """Return the query over table ``pairs`` (l, r): ids, rung, keys, weights, veto and likeness of each pair.

    Without a table over every pair that is considered. What scoring has looked at already is not looked up again.
    """
    columns = {row[0] for row in con.execute("DESCRIBE _scored").fetchall()}
    if "veto" in columns:
        rows = f"_paired m SEMI JOIN {pairs} USING (l, r)" if pairs else "_paired m"
        only = "" if pairs else "WHERE m.considered"
        wanted = "m.* EXCLUDE (otherwise, considered, spared), s.* EXCLUDE (l, r)"
        return f"SELECT {wanted} FROM {rows} JOIN _scored s USING (l, r) {only}"
    parts = {
        "pairs": pairs or "(SELECT l, r FROM _paired ANTI JOIN _hopeless USING (l, r) WHERE considered)",
        "known": ", ".join(f"{sql} AS {name}" for name, sql in known_of_pairs(sides.kind).items()),
        "alike": alike_join(sides.kind, "pair.l", "pair.r"),
    }
    text = re.sub(r"--.*", "", _SQL.read_text(encoding="utf-8"))
    for name, sql in parts.items():
        text = text.replace("{" + name + "}", sql)
    return text
