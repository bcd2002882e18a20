"""Single-record operations: create, update, delete, undelete, upsert, with stamps and cascades.

Belongs here: changing records as Salesforce does. Not here: validation, restore, queries, merges and conversions.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from apps.demo_org.store.duplicates import refuse_duplicates
from apps.demo_org.store.errors import SObjectError
from apps.demo_org.store.files import file_values
from apps.demo_org.store.foreign_keys import is_external_id, with_references
from apps.demo_org.store.ids import make_id, normal_id
from apps.demo_org.store.load import FIRST_MADE
from apps.demo_org.store.schema import Field, ObjectType
from apps.demo_org.store.text import identifier
from apps.demo_org.store.validation import checked_id, checked_values
from apps.demo_org.store.writer import Statement, Writer, known, placeholders, unknown_record, update_statement

#: Objects whose records are gone as soon as they are deleted: queryAll never shows them again.
_NO_BIN: Final = ("CampaignMember",)


class MultipleMatchesError(SObjectError):
    """An upsert by external id found several records: HTTP 300 with their ids."""

    def __init__(self, ids: list[str]) -> None:
        super().__init__(300, "MULTIPLE_CHOICES", f"external id matches {len(ids)} records")
        self.ids = ids


class Records(Writer):
    """Writes to the org, one transaction each, one at a time."""

    def create(self, kind: ObjectType, values: Mapping[str, Any], user: str) -> str:
        """Save a new record and return its id."""
        if not kind.describe["createable"]:
            raise _unsupported(kind, "create")
        named = with_references(kind, self.objects, values, self._ids_with)
        found = checked_values(kind, named, creating=True)
        found |= file_values(kind, found)
        self._check_references(kind, found)
        with self.lock:
            refuse_duplicates(self, kind, found)
            return self.add(kind, found, user)

    def add(self, kind: ObjectType, values: Mapping[str, Any], user: str) -> str:
        """Save a new record of checked values, also of an object that only Salesforce itself creates; its id."""
        found = {**values, **known(kind, {"CreatedById": user, "LastModifiedById": user})}
        found = known(kind, {"OwnerId": user}) | found
        if kind.name == "Account" and kind.find("IsPersonAccount") and found.get("LastName"):
            found |= {"IsPersonAccount": True, "Name": found["LastName"]}
        for field in kind.stored():
            if field.name not in found:
                found[field.name] = _default(field)
        with self.lock:
            # Stamped with the lock held: no reader can be told that this second is over before the row is there.
            now = self.now()
            found |= known(kind, {"CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now})
            found["Id"] = self._new_id(kind)
            # Columns left out are null; naming all sixty of an account makes the statement four times as slow.
            given = {name: value for name, value in found.items() if value is not None}
            columns = ", ".join(identifier(n) for n in given)
            marks = ", ".join("?" for _ in given)
            self.run(
                [(f"INSERT INTO {identifier(kind.name)} ({columns}) VALUES ({marks})", list(given.values()))]
                + self.derive(kind, [found["Id"]], set(given), creating=True)
            )
        return str(found["Id"])

    def update(self, kind: ObjectType, record_id: str, values: Mapping[str, Any], user: str) -> None:
        """Change fields of a record that is not deleted."""
        if not kind.describe["updateable"]:
            raise _unsupported(kind, "update")
        found_id = checked_id(kind, record_id)
        body_id = values.get("Id")
        named = with_references(kind, self.objects, values, self._ids_with)
        found = checked_values(kind, {k: v for k, v in named.items() if k != "Id"}, creating=False)
        found |= file_values(kind, found)
        if body_id is not None:
            raise SObjectError(
                400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.", ["Id"]
            )
        self._check_references(kind, found)
        with self.lock:
            self.require_live(kind, found_id)
            refuse_duplicates(self, kind, found, found_id)
            if kind.name == "Lead" and (self.row(kind, found_id, ("IsConverted",)) or (False,))[0]:
                raise SObjectError(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", [])
            now = self.now()
            found |= known(kind, {"LastModifiedDate": now, "SystemModstamp": now, "LastModifiedById": user})
            self.run([update_statement(kind, [found_id], found), *self.derive(kind, [found_id], set(found))])

    def delete(self, kind: ObjectType, record_id: str, user: str) -> None:
        """Move a record and what hangs on it to the recycle bin."""
        if not kind.describe["deletable"]:
            raise _unsupported(kind, "delete")
        found_id = checked_id(kind, record_id)
        with self.lock:
            self.require_live(kind, found_id)
            if kind.name in _NO_BIN or kind.find("IsDeleted") is None:
                self.run(self.removal(kind, found_id))
                return
            stamps = {"IsDeleted": True, "SystemModstamp": self.now(), "LastModifiedDate": self.now()}
            self.run(self._bin_statements(kind, [found_id], stamps | {"LastModifiedById": user}))

    def undelete(self, kind: ObjectType, record_id: str, user: str) -> None:
        """Bring a record back from the recycle bin with what was deleted together with it."""
        found_id = checked_id(kind, record_id)
        with self.lock:
            row = self.row(kind, found_id, ("IsDeleted", "SystemModstamp"))
            if row is None or not row[0]:
                raise SObjectError(400, "UNDELETE_FAILED", "Entity is not in the recycle bin", [])
            stamps = {"IsDeleted": False, "SystemModstamp": self.now(), "LastModifiedDate": self.now()}
            stamps |= {"LastModifiedById": user, "MasterRecordId": None}
            self.run(self._bin_statements(kind, [found_id], stamps, deleted_at=row[1]))

    def hard_delete(self, kind: ObjectType, record_id: str) -> None:
        """Remove a record for good, as emptying the recycle bin does."""
        found_id = checked_id(kind, record_id)
        has_bin = kind.find("IsDeleted") is not None
        with self.lock:
            row = self.row(kind, found_id, ("IsDeleted", "SystemModstamp") if has_bin else ("Id",))
            if row is None:
                raise unknown_record()
            deleted_at = row[1] if has_bin and row[0] else self.now()
            self.run(self.removal(kind, found_id, deleted_at))

    def upsert(
        self, kind: ObjectType, external_field: str, value: str, values: Mapping[str, Any], user: str
    ) -> tuple[str, bool]:
        """Update the record whose external id has the value, else create it; the id and whether it is new."""
        field = kind.find(external_field)
        if field is None or not is_external_id(field):
            message = f"Provided external ID field does not exist or is not accessible: {external_field}"
            raise SObjectError(404, "NOT_FOUND", message)
        with self.lock:
            matches = self._ids_with(kind, field, value)
            if len(matches) > 1:
                raise MultipleMatchesError(matches)
            if matches:
                self.update(kind, matches[0], values, user)
                return matches[0], False
            if field.type == "id":
                raise unknown_record()
            return self.create(kind, {**values, field.name: value}, user), True

    def matches(self, kind: ObjectType, external_field: str, value: str) -> bool:
        """Whether an upsert by this external id would update."""
        field = kind.find(external_field)
        return field is not None and is_external_id(field) and bool(self._ids_with(kind, field, value))

    def change(self, kind: ObjectType, ids: Sequence[str], values: Mapping[str, Any], *, stamp: bool) -> None:
        """Set values without validation, as a trigger or an import does; ``stamp`` moves SystemModstamp."""
        found = dict(values)
        with self.lock:
            if stamp:
                found = known(kind, {"SystemModstamp": self.now(), "LastModifiedDate": self.now()}) | found
            if ids and found:
                self.run([update_statement(kind, list(ids), found), *self.derive(kind, ids, set(found))])

    # -- parts

    def _new_id(self, kind: ObjectType) -> str:
        if kind.name not in self._made:
            rows = self._con.execute(f"SELECT count(*) FROM {identifier(kind.name)}").fetchall()[0][0]
            self._made[kind.name] = FIRST_MADE + int(rows)
        while True:
            self._made[kind.name] += 1
            found = make_id(kind.key_prefix, self._made[kind.name])
            if self.row(kind, found, ("Id",)) is None:
                return found

    def _ids_with(self, kind: ObjectType, field: Field, value: str) -> list[str]:
        """Live records whose external id has the value, whatever its case."""
        live = " AND NOT IsDeleted" if kind.find("IsDeleted") else ""
        column = f"lower(CAST({identifier(field.name)} AS VARCHAR))"
        sql = f"SELECT Id FROM {identifier(kind.name)} WHERE {column} = lower(?){live}"
        with self.lock:
            rows = self._con.execute(sql, [normal_id(value) if field.is_id else value]).fetchall()
        return [row[0] for row in rows]

    def _check_references(self, kind: ObjectType, values: dict[str, Any]) -> None:
        for name, value in values.items():
            field = kind.fields[name]
            if field.type != "reference" or value is None:
                continue
            values[name] = normal_id(value)
            self._check_reference(field, values[name])

    def _check_reference(self, field: Field, value: str) -> None:
        known = [self.objects[t] for t in field.targets if t in self.objects]
        matching = [k for k in known if value.startswith(k.key_prefix)]
        if matching and self.row(matching[0], value, ("Id",)) is None:
            raise SObjectError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
        if not matching and len(known) == len(field.targets):
            message = f"{field.describe['label']}: id value of incorrect type: {value}"
            raise SObjectError(400, "MALFORMED_ID", message, [field.name])

    def _bin_statements(
        self, kind: ObjectType, ids: list[str], stamps: dict[str, Any], deleted_at: datetime | None = None
    ) -> list[Statement]:
        """Set the bin state of records and, down the cascade, of their details."""
        statements = [update_statement(kind, ids, known(kind, stamps))]
        for child in kind.children:
            detail = self.objects.get(child["childSObject"])
            if not child.get("cascadeDelete") or detail is None or detail.find("IsDeleted") is None:
                continue
            marks = placeholders(ids)
            sql = f"SELECT Id FROM {identifier(detail.name)} WHERE {identifier(child['field'])} IN ({marks}) AND "
            arguments: list[Any] = list(ids)
            if deleted_at is None:
                sql += "NOT IsDeleted"
            else:
                sql += "IsDeleted AND SystemModstamp = ?"
                arguments.append(deleted_at)
            found = [row[0] for row in self._con.execute(sql, arguments).fetchall()]
            if found:
                statements += self._bin_statements(detail, found, stamps, deleted_at)
        return statements


def _default(field: Field) -> Any:
    if field.type == "boolean":
        return bool(field.describe["defaultValue"])
    default = next((p["value"] for p in field.describe["picklistValues"] if p["defaultValue"]), None)
    return default if field.type in ("picklist", "combobox") and field.describe["createable"] else None


def _unsupported(kind: ObjectType, operation: str) -> SObjectError:
    return SObjectError(400, "INVALID_TYPE_FOR_OPERATION", f"entity type {kind.name} does not support {operation}", [])
