"""The functions of Salesforce formulas, each as SQL over its arguments.

Belongs here: one entry per function. A wrong number or type of arguments raises TypeError or ValueError. Not here:
the grammar.
"""

from collections.abc import Callable
from typing import Final, NamedTuple


class Typed(NamedTuple):
    """SQL and its type: text, number, boolean, date, datetime or null."""

    sql: str
    type: str


def as_text(value: Typed) -> str:
    """SQL of a value as text; blank is the empty text, a whole number has no decimals."""
    if value.type == "number":
        text = f"CAST({value.sql} AS VARCHAR)"
        return f"coalesce(CASE WHEN contains({text}, '.') THEN rtrim(rtrim({text}, '0'), '.') ELSE {text} END, '')"
    return f"coalesce(CAST({value.sql} AS VARCHAR), '')"


def _choice(test: Typed, yes: Typed, no: Typed) -> Typed:
    if test.type != "boolean":
        raise ValueError(test.type)
    return Typed(f"CASE WHEN {test.sql} THEN {yes.sql} ELSE {no.sql} END", yes.type if yes.type != "null" else no.type)


def _case(value: Typed, *rest: Typed) -> Typed:
    if len(rest) < 3 or len(rest) % 2 == 0:
        raise ValueError("CASE")
    cases = " ".join(f"WHEN {a.sql} THEN {b.sql}" for a, b in zip(rest[:-1:2], rest[1::2], strict=True))
    kind = next((r.type for r in (*rest[1::2], rest[-1]) if r.type != "null"), "null")
    return Typed(f"CASE {value.sql} {cases} ELSE {rest[-1].sql} END", kind)


def _joined(operator: str) -> Callable[..., Typed]:
    def function(first: Typed, *more: Typed) -> Typed:
        return Typed("(" + f" {operator} ".join(f"coalesce({a.sql}, false)" for a in (first, *more)) + ")", "boolean")

    return function


def _is_blank(value: Typed) -> Typed:
    return Typed(f"({value.sql} IS NULL OR CAST({value.sql} AS VARCHAR) = '')", "boolean")


def _simple(sql: str, kind: str, *, texts: bool = False) -> Callable[..., Typed]:
    """A function that is one SQL expression of its arguments, ``texts``: each taken as text."""
    wanted = sum(f"{{{n}}}" in sql for n in range(4))

    def function(*arguments: Typed) -> Typed:
        if len(arguments) != wanted:
            raise TypeError(sql)
        shown = [as_text(a) if texts and a.type != "number" else a.sql for a in arguments]
        return Typed(sql.format(*shown), kind)

    return function


#: Name -> the SQL of a call.
FUNCTIONS: Final[dict[str, Callable[..., Typed]]] = {
    "IF": _choice,
    "CASE": _case,
    "AND": _joined("AND"),
    "OR": _joined("OR"),
    "NOT": _simple("(NOT coalesce({0}, false))", "boolean"),
    "ISBLANK": _is_blank,
    "ISNULL": _is_blank,
    "BLANKVALUE": lambda value, other: Typed(f"coalesce({value.sql}, {other.sql})", value.type),
    "ISPICKVAL": lambda value, text: Typed(f"({as_text(value)} = {text.sql})", "boolean"),
    "TEXT": lambda value: Typed(as_text(value), "text"),
    "VALUE": _simple("TRY_CAST({0} AS DOUBLE)", "number"),
    "ROUND": _simple("round({0}, CAST({1} AS INTEGER))", "number"),
    "ABS": _simple("abs({0})", "number"),
    "FLOOR": _simple("floor({0})", "number"),
    "CEILING": _simple("ceil({0})", "number"),
    "MOD": _simple("({0} % nullif({1}, 0))", "number"),
    "MAX": lambda *values: Typed(f"greatest({', '.join(v.sql for v in values)})", "number"),
    "MIN": lambda *values: Typed(f"least({', '.join(v.sql for v in values)})", "number"),
    "LEN": _simple("length({0})", "number", texts=True),
    "LEFT": _simple("left({0}, CAST({1} AS INTEGER))", "text", texts=True),
    "RIGHT": _simple("right({0}, CAST({1} AS INTEGER))", "text", texts=True),
    "MID": _simple("substr({0}, CAST({1} AS INTEGER), CAST({2} AS INTEGER))", "text", texts=True),
    "UPPER": _simple("upper({0})", "text", texts=True),
    "LOWER": _simple("lower({0})", "text", texts=True),
    "TRIM": _simple("trim({0})", "text", texts=True),
    "CONTAINS": _simple("contains({0}, {1})", "boolean", texts=True),
    "BEGINS": _simple("starts_with({0}, {1})", "boolean", texts=True),
    "SUBSTITUTE": _simple("replace({0}, {1}, {2})", "text", texts=True),
    "YEAR": _simple("year({0})", "number"),
    "MONTH": _simple("month({0})", "number"),
    "DAY": _simple("day({0})", "number"),
    "DATEVALUE": _simple("CAST({0} AS DATE)", "date"),
}
