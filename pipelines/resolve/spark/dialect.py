"""The conditions of the comparisons in Spark's SQL: one source for both engines, ``comparisons.py``.

What DuckDB and Spark both know is translated by sqlglot, which Splink uses too; what only our macros know is in
``likeness.sql``. A function that is neither is an error, not a guess.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sqlglot
from sqlglot import exp

from data_contracts.errors import ResolutionError

_SQL = Path(__file__).parent
_FUNCTION = re.compile(r"CREATE TEMPORARY FUNCTION (\w+)\((.*?)\) RETURN\s(.*?);\s*$", re.DOTALL | re.MULTILINE)
_PARAMETER = re.compile(r"(\w+) (?:STRING|INT|FLOAT|ARRAY|MAP)")
#: What our functions are called on Spark: by a name alone it would take its own.
PREFIX = "alike_"
#: What Spark and Splink's library for it bring under the name it has after translation.
KNOWN = frozenset(
    ("abs", "aggregate", "array", "array_contains", "array_join", "array_max", "arrays_overlap", "arrays_zip")
    + ("coalesce", "concat", "contains", "damerau_levenshtein", "decode", "element_at", "encode", "exists", "filter")
    + ("greatest", "jaro_sim", "least", "left", "length", "levenshtein", "locate", "named_struct", "overlay")
    + ("regexp_replace", "right", "sequence", "size", "split_part", "startswith", "struct", "substring", "transform")
)


def spark_sql(condition: str) -> str:
    """Return a condition of a comparison, written for DuckDB, in Spark's SQL; it may call ``spark_functions``.

    Raises ResolutionError for a function that has no form on Spark yet.
    """
    return checked(sqlglot.parse_one(condition, read="duckdb").transform(_translated).transform(_renamed))


def spark_functions(*statements: str) -> list[str]:
    """Return the statements that create the functions which statements in Spark's SQL call."""
    called = {name for statement in statements for name in re.findall(rf"\b{PREFIX}(\w+)\(", statement)}
    return [
        f"CREATE OR REPLACE TEMPORARY FUNCTION {PREFIX}{name}({_functions()[name].declared}) "
        f"RETURN {checked(_expanded(_functions()[name].body, (name,)))}"
        for name in sorted(called)
    ]


def spark_script(name: str) -> str:
    """Return the statement of a SQL file of this folder with our functions written out."""
    text = re.sub(r"--.*", "", (_SQL / name).read_text(encoding="utf-8"))
    return checked(_expanded(sqlglot.parse_one(text, read="spark")))


def checked(tree: exp.Expr) -> str:
    """Return the SQL of a tree in which every function is one that Spark has."""
    sql: str = tree.sql(dialect="spark", normalize_functions=False)
    for name in re.findall(r"(?<!\w)([A-Za-z_]\w*)\(", sql):
        if name.lower() not in KNOWN | _SYNTAX and name.lower().removeprefix(PREFIX) not in _functions():
            raise ResolutionError(
                f"a comparison uses {name}, which has no form on Spark",
                why="pipelines/resolve/spark/likeness.sql does not define it",
                next_step="set matching.engine: duckdb in crosswalk.yaml",
            )
    return sql


def _translated(node: exp.Expr) -> exp.Expr:
    """Put right what sqlglot leaves as DuckDB means it: a negative length counts from the other end, lists overlap."""
    if isinstance(node, exp.ArrayOverlaps):
        return exp.Anonymous(this="arrays_overlap", expressions=[node.this, node.expression])
    if isinstance(node, (exp.Left, exp.Right)) and isinstance(node.expression, exp.Neg):
        count = exp.Sub(this=exp.Length(this=node.this.copy()), expression=node.expression.this.copy())
        return type(node)(this=node.this, expression=count)
    return node


def _renamed(node: exp.Expr) -> exp.Expr:
    """Return a call of one of ours by the name it has on Spark."""
    name = _name(node)
    if name not in _functions():
        return node
    return exp.Anonymous(this=PREFIX + name, expressions=[value.transform(_renamed) for value in _arguments(node)])


def _expanded(tree: exp.Expr, within: tuple[str, ...] = ()) -> exp.Expr:
    """Return the tree with our functions written out; inside ``levenshtein`` that name is Spark's own."""

    def written_out(node: exp.Expr) -> exp.Expr:
        name = _name(node)
        if name not in _functions() or name in within:
            return node
        ours = _functions()[name]
        given = dict(zip(ours.parameters, (_expanded(value, within) for value in _arguments(node)), strict=True))
        return exp.paren(_expanded(ours.body, (*within, name)).transform(lambda part: _given(part, given)))

    return tree.transform(written_out)


def _given(part: exp.Expr, given: dict[str, exp.Expr]) -> exp.Expr:
    """Return what a parameter stands for."""
    if isinstance(part, exp.Column) and not part.table and part.name in given:
        return given[part.name].copy()
    return part


def _name(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous):
        return str(node.this).lower()
    if isinstance(node, exp.JarowinklerSimilarity):
        return "jaro_winkler_similarity"
    return node.sql_name().lower() if isinstance(node, exp.Func) else ""


def _arguments(node: exp.Expr) -> list[exp.Expr]:
    return list(node.expressions) if isinstance(node, exp.Anonymous) else [node.this, node.expression]


#: Words of SQL that may stand before a parenthesis.
_SYNTAX = frozenset(
    ("and", "as", "cast", "case", "else", "in", "join", "not", "on", "or", "over", "select", "then", "using", "when")
    + ("where", "with", "from")
)


@dataclass(frozen=True)
class _Function:
    """One of ours: its parameters as declared, their names, and what stands in place of a call."""

    declared: str
    parameters: tuple[str, ...]
    body: exp.Expr


@cache
def _functions() -> dict[str, _Function]:
    text = re.sub(r"--.*", "", (_SQL / "likeness.sql").read_text(encoding="utf-8"))
    return {
        name: _Function(declared, tuple(_PARAMETER.findall(declared)), sqlglot.parse_one(body, read="spark"))
        for name, declared, body in _FUNCTION.findall(text)
    }
