"""The SQL that shows everything known of pairs that met; who reads it is ``links.py`` and ``learning.py``."""

import re
from pathlib import Path

from pipelines.resolve.sides import Kind, Sides
from pipelines.resolve.vetoes import VETOES, alike_join

_SQL = Path(__file__).parent / "met.sql"
#: What is known of two names beyond the level their comparison is on.
_LIKENESS: dict[Kind, str] = {
    "company": "a.alike, a.contained, a.shared, len(l.name_numbers) > 0 AND len(r.name_numbers) > 0 "
    "AND NOT list_has_any(l.name_numbers, r.name_numbers) AS numbers_differ",
    "person": "NULL::FLOAT AS alike",
}


def met_pairs(sides: Sides, pairs: str) -> str:
    """Return the query over table ``pairs`` (l, r): ids, rung, keys, weights, veto and likeness of each pair."""
    parts = {
        "pairs": pairs,
        "employees": "r.employees" if sides.kind == "company" else "NULL::BIGINT",
        "veto": VETOES[sides.kind],
        "alike": alike_join(sides.kind, "pair.l", "pair.r"),
        "likeness": _LIKENESS[sides.kind],
    }
    text = re.sub(r"--.*", "", _SQL.read_text(encoding="utf-8"))
    for name, sql in parts.items():
        text = text.replace("{" + name + "}", sql)
    return text
