"""Calculated fields: formulas and roll-ups, made into fields that are computed when a record is read.

Belongs here: from what an admin enters to a field with its SQL. Not here: the formula language (``formula``).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from apps.demo_org.store.errors import SObjectError
from apps.demo_org.store.formula import FormulaScope, formula_sql
from apps.demo_org.store.schema import EVERYTHING, Field, ObjectType
from apps.demo_org.store.soql.compiler import Compiler
from apps.demo_org.store.soql.parser import parse
from apps.demo_org.store.soql.scope import Context

_FUNCTIONS: Final = {
    "COUNT": "count({0})",
    "SUM": "coalesce(sum({0}), 0)",
    "MIN": "min({0})",
    "MAX": "max({0})",
}
#: What describe says of every calculated field.
_READ_ONLY: Final[dict[str, Any]] = {
    "calculated": True,
    "createable": False,
    "updateable": False,
    "defaultedOnCreate": False,
    "nillable": True,
}


def calculated_field(
    objects: Mapping[str, ObjectType],
    kind: ObjectType,
    field: Field,
    definition: Mapping[str, Any],
    clock: Callable[[], datetime],
) -> Field:
    """``field`` computed by a ``formula`` or a ``rollup`` (``object``, ``function``, ``field``, ``where``).

    Raises SObjectError where the definition does not hold.
    """
    if "formula" in definition:
        text = str(definition["formula"])
        described = field.describe | _READ_ONLY | {"calculatedFormula": text}
        made = Field(described)

        def sql(alias: str) -> str:
            return formula_sql(text, made, FormulaScope(objects, kind, alias, clock))
    else:
        made = Field(field.describe | _READ_ONLY)
        rollup = dict(definition["rollup"])

        def sql(alias: str) -> str:
            return _rollup_sql(objects, kind, rollup, alias, clock())

    sql("t")
    return Field(made.describe, sql)


def _rollup_sql(
    objects: Mapping[str, ObjectType], kind: ObjectType, rollup: Mapping[str, Any], alias: str, now: datetime
) -> str:
    """The aggregate over the live children of the record under an alias."""
    child = next((k for n, k in objects.items() if n.lower() == str(rollup.get("object", "")).lower()), None)
    function = _FUNCTIONS.get(str(rollup.get("function", "COUNT")).upper())
    wanted = str(rollup.get("key", ""))
    keys = [f for f in child.fields.values() if kind.name in f.targets and wanted in ("", f.name)] if child else []
    if child is None or function is None or not keys:
        message = f"a roll-up needs a function ({', '.join(_FUNCTIONS)}) and an object that refers to {kind.name}"
        raise SObjectError(400, "INVALID_FORMULA", message, [])
    where = f" WHERE {rollup['where']}" if rollup.get("where") else ""
    soql = f"SELECT {rollup.get('field') or 'Id'} FROM {child.name}{where}"
    context = Context(dict(objects), EVERYTHING, "", now, soql)
    compiled = Compiler(context, f"{alias}_r").compile(parse(soql))
    key = keys[0].column_sql(compiled.scope.alias)
    inner = compiled.select_sql([function.format(compiled.columns[0].sql)], extra=f"{key} = {alias}.Id")
    return f"({inner})"
