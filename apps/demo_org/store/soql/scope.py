"""Names in SOQL to columns: fields of the queried object, of its parents, and the joins they need.

Belongs here: resolution and visibility of names. Not here: conditions, the shape of results.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

from apps.demo_org.store.schema import Field, ObjectType, Visibility
from apps.demo_org.store.soql.tokens import excerpt_error
from apps.demo_org.store.soql.tree import Path
from apps.demo_org.store.text import identifier, literal

MAXIMUM_PARENTS: Final = 5
_NO_COLUMN: Final = (
    "No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append "
    "the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
)
_NO_TYPE: Final = (
    "sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the "
    "'__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
)
_NO_RELATION: Final = (
    "Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, be "
    "sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call "
    "for the appropriate names."
)


@dataclass(frozen=True)
class Context:
    """What a query is compiled against: the org's schema, who asks, the time, the text for error excerpts."""

    objects: dict[str, ObjectType]
    visibility: Visibility
    user_id: str
    now: datetime
    soql: str
    include_deleted: bool = False

    @property
    def today(self) -> date:
        """The day in UTC."""
        return self.now.astimezone(UTC).date()

    def object_type(self, path: Path) -> ObjectType:
        """The object of that name, visible to the user, or INVALID_TYPE."""
        wanted = path.text.lower()
        for name, kind in self.objects.items():
            if name.lower() == wanted and self.visibility.sees(name):
                return kind
        message = _NO_TYPE.format(name=path.text)
        raise excerpt_error("INVALID_TYPE", self.soql, path.position, message)


@dataclass(frozen=True)
class Resolved:
    """A field path resolved: its describe-spelled names, the field and the SQL of its stored value."""

    names: tuple[str, ...]
    field: Field
    sql: str
    owner: ObjectType
    aliases: tuple[str, ...]


@dataclass
class _Node:
    """A table in the FROM clause: one object, or the possible objects of a polymorphic parent."""

    kinds: list[ObjectType]
    aliases: list[str]
    parents: dict[str, "_Node"] = field(default_factory=dict)

    def value(self, name: str) -> tuple[Field, str, ObjectType] | None:
        """The field of that name on any of the kinds, and its SQL."""
        found = [
            (kind, alias, f) for kind, alias in zip(self.kinds, self.aliases, strict=True) if (f := kind.find(name))
        ]
        if not found:
            return None
        columns = [f.column_sql(alias) for _, alias, f in found if not f.is_address]
        sql = columns[0] if len(columns) == 1 else f"coalesce({', '.join(columns)})" if columns else "NULL"
        return found[0][2], sql, found[0][0]


class Scope:
    """The FROM clause of one query, growing as paths are resolved."""

    def __init__(
        self,
        context: Context,
        kind: ObjectType,
        alias: str | None,
        prefix: str = "t",
        relations: Mapping[str, Path] | None = None,
    ) -> None:
        self.context, self.kind = context, kind
        self._relations = relations or {}
        self._own = {name.lower() for name in (kind.name, alias) if name}
        self._prefix, self._count = prefix, 0
        self._joins: list[str] = []
        self.root = _Node([kind], [self._next_alias()])

    @property
    def alias(self) -> str:
        """SQL alias of the queried object's table."""
        return self.root.aliases[0]

    def is_own(self, name: str) -> bool:
        """Whether a name is that of the queried object or its alias."""
        return name.lower() in self._own

    def from_sql(self) -> str:
        """The FROM clause after the keyword."""
        return " ".join([f"{identifier(self.kind.name)} AS {self.alias}", *self._joins])

    @property
    def has_joins(self) -> bool:
        """Whether any parent is involved."""
        return bool(self._joins)

    def resolve(self, path: Path) -> Resolved:
        """The field a path means, or INVALID_FIELD."""
        parts = path.parts
        named = self._relations.get(parts[0].lower()) if len(parts) > 1 else None
        if named is not None:
            return self.resolve(Path(".".join((*named.parts, *parts[1:])), path.position))
        if len(parts) > 1 and parts[0].lower() in self._own and not self.kind.parent(parts[0]):
            parts = parts[1:]
        node, names = self.root, []
        if len(parts) - 1 > MAXIMUM_PARENTS:
            raise self._error(path, "SOQL relationships may be no more than five levels deep")
        for part in parts[:-1]:
            name, node = self._step(node, part, path)
            names.append(name)
        return self._field(node, parts[-1], names, path)

    def _field(self, node: _Node, name: str, names: list[str], path: Path) -> Resolved:
        polymorphic_type = name.lower() == "type" and len(node.kinds) > 1
        found = self._type_of(node) if polymorphic_type else node.value(name)
        if found is None or not self.context.visibility.sees(found[2].name, found[0].name):
            entity = node.kinds[0].name if len(node.kinds) == 1 else "Name"
            raise self._error(path, _NO_COLUMN.format(name=name, entity=entity))
        described, sql, owner = found
        return Resolved((*names, described.name), described, sql, owner, tuple(node.aliases))

    def _type_of(self, node: _Node) -> tuple[Field, str, ObjectType]:
        cases = " ".join(
            f"WHEN {alias}.Id IS NOT NULL THEN {literal(kind.name)}"
            for kind, alias in zip(node.kinds, node.aliases, strict=True)
        )
        text = self.context.objects["RecordType"].fields["DeveloperName"]
        described = Field({**text.describe, "name": "Type", "label": "Type"})
        return described, f"CASE {cases} END", node.kinds[0]

    def parent_node(self, names: tuple[str, ...]) -> _Node:
        """The node a relationship path leads to; it must have been resolved before."""
        node = self.root
        for name in names:
            node = node.parents[name]
        return node

    def candidates(self, path: Path) -> tuple[str, list[tuple[ObjectType, str]]]:
        """The name of a relationship of the queried object, and each object it may lead to with its SQL alias."""
        name, node = self._step(self.root, path.text, path)
        return name, list(zip(node.kinds, node.aliases, strict=True))

    def _step(self, node: _Node, relationship: str, path: Path) -> tuple[str, _Node]:
        sees = self.context.visibility.sees
        for kind in node.kinds:
            reference = kind.parent(relationship)
            if reference is None or not sees(kind.name, reference.name):
                continue
            known = [self.context.objects[t] for t in reference.targets if t in self.context.objects and sees(t)]
            if not known:
                break
            name = reference.relationship or relationship
            if name not in node.parents:
                node.parents[name] = self._join(node, reference, known)
            return name, node.parents[name]
        raise self._error(path, _NO_RELATION.format(name=relationship))

    def _join(self, node: _Node, reference: Field, known: list[ObjectType]) -> _Node:
        found = node.value(reference.name)
        key = found[1] if found else "NULL"
        aliases = []
        for kind in known:
            alias = self._next_alias()
            self._joins.append(f"LEFT JOIN {identifier(kind.name)} AS {alias} ON {alias}.Id = {key}")
            aliases.append(alias)
        return _Node(known, aliases)

    def _next_alias(self) -> str:
        self._count += 1
        return f"{self._prefix}{self._count - 1}"

    def _error(self, path: Path, message: str) -> Exception:
        return excerpt_error("INVALID_FIELD", self.context.soql, path.position, message)
