"""``TYPEOF``: the fields of a parent that may be of several objects.

Belongs here: from the parsed expression to one result column with a branch per object. Not here: other columns, shapes.
"""

from collections.abc import Iterable

from apps.demo_org.store.schema import Field, ObjectType
from apps.demo_org.store.soql.compiled import ResultColumn
from apps.demo_org.store.soql.scope import Scope
from apps.demo_org.store.soql.tokens import excerpt_error
from apps.demo_org.store.soql.tree import Path, TypeOf


def type_of_column(scope: Scope, item: TypeOf) -> ResultColumn:
    """The column of a TYPEOF expression; SoqlError where the relationship, an object or a field does not fit.

    A parent of an object without branch has the fields of ELSE that it knows, without ELSE it is null.
    """
    path = item.relationship
    name, candidates = scope.candidates(path)
    if len(candidates) < 2:
        message = f"TYPEOF relationship '{path.text}' is not polymorphic"
        raise excerpt_error("MALFORMED_QUERY", scope.context.soql, path.position, message)
    chosen: dict[str, tuple[Path, ...]] = {}
    for kind_path, fields in item.branches:
        kind = next((kind for kind, _ in candidates if kind.name.lower() == kind_path.text.lower()), None)
        if kind is None:
            message = f"{kind_path.text} is no object that '{path.text}' can lead to"
            raise excerpt_error("INVALID_TYPE", scope.context.soql, kind_path.position, message)
        chosen[kind.name] = fields
    branches = []
    for kind, alias in candidates:
        if kind.name in chosen:
            branches.append((kind.name, tuple(_columns(scope, kind, alias, chosen[kind.name]))))
        elif item.otherwise:
            known = [each for each in item.otherwise if kind.find(each.text)]
            branches.append((kind.name, tuple(_columns(scope, kind, alias, known))))
    ids = ", ".join(f"{alias}.Id" for _, alias in candidates)
    return ResultColumn((name,), None, f"coalesce({ids})", branches=tuple(branches))


def _columns(scope: Scope, kind: ObjectType, alias: str, paths: Iterable[Path]) -> Iterable[ResultColumn]:
    for path in paths:
        field: Field | None = kind.find(path.text)
        if field is None or field.is_address or not scope.context.visibility.sees(kind.name, field.name):
            message = f"No such column '{path.text}' on entity '{kind.name}'."
            raise excerpt_error("INVALID_FIELD", scope.context.soql, path.position, message)
        yield ResultColumn((field.name,), field, field.column_sql(alias))
