"""Writing several records in one call: each with its own result, or all or none.

Belongs here: what sObject Collections, sObject Tree and Bulk ingest share. A single record's rules and messages
are the store's.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request

from apps.demo_org.exchange import session_of, state_of
from apps.demo_org.org import DemoOrgState
from apps.demo_org.store import Field, ObjectType, SObjectError
from apps.demo_org.store.authorization import check_write
from apps.demo_org.store.records import MultipleMatchesError

_log = logging.getLogger(__name__)
ROLLED_BACK: Final = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
_ROLLED_BACK_TEXT: Final = (
    "Record rolled back because not all records were valid and the request was using AllOrNone header"
)


@dataclass(frozen=True)
class Saved:
    """What became of one record: its id, whether it is new, and why it was refused where it was."""

    id: str | None = None
    created: bool = False
    error: SObjectError | None = None

    def as_result(self, *, upsert: bool = False) -> dict[str, Any]:
        """The save result of a collection: errors name their code ``statusCode``."""
        errors = [] if self.error is None else [error_row(self.error)]
        found: dict[str, Any] = {"id": self.id} if self.id is not None else {}
        found |= {"success": self.error is None, "errors": errors}
        return found | {"created": self.created} if upsert else found


def error_row(error: SObjectError) -> dict[str, Any]:
    """One error as collections and trees tell it."""
    return {"statusCode": error.code, "message": error.message, "fields": error.fields or []}


class Dml:
    """Writes records as one user sees and may change them."""

    def __init__(self, org: DemoOrgState, user: str) -> None:
        self._org, self._user = org, user

    @classmethod
    def of(cls, request: Request) -> "Dml":
        """For the user of a request."""
        return cls(state_of(request), session_of(request).user_id)

    def kind(self, name: str) -> ObjectType:
        """The object of that name as the user sees it; SObjectError 404."""
        return self._org.store.object_type(name, self._org.visibility())

    def _of_row(self, name: str) -> ObjectType:
        """The object a record says it is of: a wrong name is that record's error alone."""
        try:
            return self.kind(name)
        except SObjectError as error:
            raise SObjectError(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.", []) from error

    def insert(self, name: str, values: Mapping[str, Any]) -> Saved:
        """Save a new record."""
        kind = self._of_row(name)
        return Saved(self._org.store.create(kind.name, values, user=self._user), created=True)

    def update(self, name: str, values: Mapping[str, Any]) -> Saved:
        """Change the record whose id is among the values."""
        kind = self._of_row(name)
        record_id, rest = split_id(values)
        if not record_id:
            raise SObjectError(400, "MISSING_ARGUMENT", "Id not specified in an update call", [])
        self._org.store.update(kind.name, record_id, rest, user=self._user)
        return Saved(record_id)

    def delete(self, name: str, record_id: str) -> Saved:
        """Move a record to the recycle bin."""
        kind = self.kind(name)
        self._org.store.delete(kind.name, record_id, user=self._user)
        return Saved(record_id)

    def delete_any(self, record_id: str) -> Saved:
        """Delete a record of whatever object its id belongs to."""
        objects = self._org.store.objects.values()
        kind = next((kind for kind in objects if kind.key_prefix == record_id[:3]), None)
        if kind is None:
            raise SObjectError(400, "MALFORMED_ID", f"malformed id {record_id}", [])
        return self.delete(kind.name, record_id)

    def remove(self, name: str, values: Mapping[str, Any], *, hard: bool = False) -> Saved:
        """Delete the record whose id is among the values; ``hard`` removes it past the recycle bin."""
        kind = self.kind(name)
        record_id, _ = split_id(values)
        if not record_id:
            raise SObjectError(400, "MISSING_ARGUMENT", "Id not specified in a delete call", [])
        if not hard:
            return self.delete(kind.name, record_id)
        check_write(self._org.visibility(), kind, "delete", {})
        self._org.store.hard_delete(kind.name, record_id)
        return Saved(record_id)

    def hidden(self, kind: ObjectType) -> set[str]:
        """The fields of an object that the user cannot see."""
        seen = self._org.visibility()
        return {name for name in kind.fields if not seen.sees(kind.name, name)}

    def upsert(self, name: str, field_name: str, values: Mapping[str, Any]) -> Saved:
        """Change the record that has the external id among the values, or save a new one."""
        kind = self.kind(name)
        field = external_id(kind, field_name)
        key = next((value for given, value in values.items() if given.lower() == field.name.lower()), None)
        rest = {given: value for given, value in values.items() if given.lower() != field.name.lower()}
        if key is None or key == "":
            if field.type == "id":
                return self.insert(kind.name, rest)
            raise SObjectError(400, "MISSING_ARGUMENT", f"{field.name} not specified", [])
        try:
            found, created = self._org.store.upsert(kind.name, field.name, str(key), rest, user=self._user)
        except MultipleMatchesError as error:
            ids = ", ".join(error.ids)
            message = f"{field.name}: more than one record found for external id field: [{ids}]"
            raise SObjectError(400, "DUPLICATE_EXTERNAL_ID", message, [field.name]) from error
        return Saved(found, created)

    def each(self, work: Iterable[Callable[[], Saved]], *, creating: bool = False) -> list[Saved]:
        """Do every piece of work; one that is refused does not hinder the others.

        ``creating`` tells whether a record that was refused would have been a new one.
        """
        return [self._attempt(one, creating) for one in work]

    def all_or_none(self, work: Iterable[Callable[[], Saved]], *, creating: bool = False) -> list[Saved]:
        """Do every piece of work, and undo it all where one is refused."""
        transactions = self._org.store.transactions
        name = transactions.begin()
        try:
            with transactions.within(name):
                found = self.each(work, creating=creating)
        except BaseException:
            transactions.rollback(name)
            raise
        if all(saved.error is None for saved in found):
            transactions.commit(name)
            return found
        transactions.rollback(name)
        undone = SObjectError(400, ROLLED_BACK, _ROLLED_BACK_TEXT, [])
        return [saved if saved.error else Saved(created=saved.created, error=undone) for saved in found]

    def in_chunk(self, work: Sequence[Callable[[], Saved]], *, creating: bool = False) -> list[Saved]:
        """Do every piece of work in one transaction, as Salesforce saves a chunk of a job's rows.

        Where another transaction holds one of the records, each is saved by itself.
        """
        transactions = self._org.store.transactions
        name = transactions.begin()
        try:
            with transactions.within(name):
                found = self.each(work, creating=creating)
            if not any(saved.error and saved.error.code == "UNABLE_TO_LOCK_ROW" for saved in found):
                transactions.commit(name)
                return found
            transactions.rollback(name)
        except SObjectError as error:
            # Only the commit raises here; it ends the transaction whatever becomes of it.
            _log.info("a chunk is saved row by row: %s", error)
        except BaseException:
            transactions.rollback(name)
            raise
        return self.each(work, creating=creating)

    @staticmethod
    def _attempt(one: Callable[[], Saved], creating: bool) -> Saved:
        try:
            return one()
        except SObjectError as error:
            return Saved(created=creating, error=error)


def split_id(values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A record's id, given as ``Id`` or ``id``, and its other values."""
    record_id = next((str(value) for name, value in values.items() if name.lower() == "id" and value), "")
    return record_id, {name: value for name, value in values.items() if name.lower() != "id"}


def external_id(kind: ObjectType, name: str) -> Field:
    """The field records may be found by; SObjectError 404 where it is none."""
    field = kind.find(name)
    if field is None or not (field.describe["externalId"] or field.describe["idLookup"]):
        message = f"Provided external ID field does not exist or is not accessible: {name}"
        raise SObjectError(404, "NOT_FOUND", message)
    return field
