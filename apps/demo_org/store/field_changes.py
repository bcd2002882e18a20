"""Fields added to and removed from a running org, as an admin does.

Belongs here: the schema and the table changed together. Not here: what a calculated field computes (``calculated``).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any

import duckdb

from apps.demo_org.store.calculated import calculated_field
from apps.demo_org.store.errors import SObjectError
from apps.demo_org.store.schema import EVERYTHING, DuplicateRule, ObjectType, Visibility, custom_field
from apps.demo_org.store.text import identifier
from apps.demo_org.store.transactions import Transactions
from apps.demo_org.store.writer import locked_row


class FieldChanges(ABC):
    """The part of an org that changes its fields."""

    objects: dict[str, ObjectType]
    transactions: Transactions
    _database: duckdb.DuckDBPyConnection
    _clock: Callable[[], datetime]

    @abstractmethod
    def object_type(self, name: str, visibility: Visibility | None = None) -> ObjectType:
        """The object of that name."""

    def add_field(self, object_name: str, name: str, type: str = "string", **attributes: Any) -> None:
        """Add a field to an object, as an admin does; existing records have null (false for a checkbox).

        With ``formula`` or ``rollup`` it is calculated whenever it is read: see ``calculated.calculated_field``.
        """
        kind = self.object_type(object_name, EVERYTHING)
        definition: dict[str, Any] = {k: attributes.pop(k) for k in ("formula", "rollup") if k in attributes}
        field = custom_field(name, type, **attributes)
        with self.transactions.records().lock:
            if definition:
                kind.add(calculated_field(self.objects, kind, field, definition, self._clock))
                return
            self._require_no_transaction()
            default = " DEFAULT false" if type == "boolean" else ""
            sql = f"ALTER TABLE {identifier(kind.name)} ADD COLUMN {identifier(name)} {field.sql_type}{default}"
            self._database.execute(sql).fetchall()
            kind.add(field)

    def remove_field(self, object_name: str, name: str) -> None:
        """Delete a field of an object with its values."""
        kind = self.object_type(object_name, EVERYTHING)
        with self.transactions.records().lock:
            stored = name in {field.name for field in kind.stored()}
            if stored:
                self._require_no_transaction()
            kind.remove(name)
            if stored:
                sql = f"ALTER TABLE {identifier(kind.name)} DROP COLUMN {identifier(name)}"
                self._database.execute(sql).fetchall()

    def add_duplicate_rule(self, object_name: str, name: str, fields: list[str]) -> None:
        """Refuse from now on a record whose fields all equal those of another record of the object."""
        kind = self.object_type(object_name, EVERYTHING)
        known = [kind.find(each) for each in fields]
        if not fields or None in known:
            raise SObjectError(400, "INVALID_FIELD", f"No such columns on sobject of type {kind.name}: {fields}")
        kind.duplicate_rules.append(DuplicateRule(name, tuple(f.name for f in known if f), f"{name}_Match"))

    def _require_no_transaction(self) -> None:
        """Refuse to change a table while a transaction is open: one that holds records of it could not end well."""
        if self.transactions.oldest_start() is not None:
            raise locked_row()
