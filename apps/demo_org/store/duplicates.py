"""What the org refuses because it has it already: unique fields and duplicate rules.

Belongs here: both checks, made before a record is saved, and the recorded answer of a duplicate rule. Rules compare
fields exactly, without case. Not here: external ids that are not unique.
"""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from apps.demo_org.store.errors import SObjectError
from apps.demo_org.store.schema import DuplicateRule, Field, ObjectType
from apps.demo_org.store.text import identifier
from apps.demo_org.store.writer import Writer

#: Whether the client said ``Sforce-Duplicate-Rule-Header: allowSave=true``.
allow_save: ContextVar[bool] = ContextVar("allow_save", default=False)


@dataclass
class _Hit:
    rule: DuplicateRule
    ids: list[str]


class DuplicatesDetected(SObjectError):
    """A duplicate rule found records; REST tells them under a key that Salesforce misspells."""

    def __init__(self, object_name: str, hit: _Hit) -> None:
        super().__init__(400, "DUPLICATES_DETECTED", hit.rule.message)
        self._object, self._hit = object_name, hit
        #: The API version of the request, for the addresses of the records.
        self.version = "v66.0"

    def body(self) -> dict[str, object]:
        """The recorded body, with what was found."""
        base = f"/services/data/{self.version}/sobjects/{self._object}"
        found = [
            {
                "additionalInformation": [],
                "fieldDiffs": [],
                "matchConfidence": 100.0,
                "record": {"attributes": {"type": self._object, "url": f"{base}/{each}"}, "Id": each},
            }
            for each in self._hit.ids
        ]
        match = {
            "entityType": self._object,
            "errors": [],
            "matchEngine": "ExactMatchEngine",
            "matchRecords": found,
            "rule": self._hit.rule.matching_rule,
            "size": len(found),
            "success": True,
        }
        result = {
            "allowSave": False,
            "duplicateRule": self._hit.rule.name,
            "duplicateRuleEntityType": self._object,
            "errorMessage": self.message,
            "matchResults": [match],
        }
        return {"duplicateResut": result, "errorCode": self.code, "message": self.message}


def refuse_duplicates(writer: Writer, kind: ObjectType, values: Mapping[str, Any], record_id: str = "") -> None:
    """Refuse values that another record has: DUPLICATE_VALUE, DUPLICATES_DETECTED. ``record_id`` is being changed."""
    for field in kind.fields.values():
        if field.describe["unique"] and values.get(field.name) is not None:
            _refuse_value(writer, kind, field, values[field.name], record_id)
    if not allow_save.get():
        for rule in kind.duplicate_rules:
            if any(name in values for name in rule.fields):
                _refuse_match(writer, kind, rule, values, record_id)


def _refuse_value(writer: Writer, kind: ObjectType, field: Field, value: Any, record_id: str) -> None:
    found = _others(writer, kind, [field], [value], record_id)
    if found:
        message = f"duplicate value found: {field.name} duplicates value on record with id: {found[0][:15]}"
        raise SObjectError(400, "DUPLICATE_VALUE", message, [])


def _refuse_match(
    writer: Writer, kind: ObjectType, rule: DuplicateRule, values: Mapping[str, Any], record_id: str
) -> None:
    stored = writer.row(kind, record_id, rule.fields) if record_id else None
    whole = {**dict(zip(rule.fields, stored or (), strict=False)), **values}
    wanted = [whole.get(name) for name in rule.fields]
    if any(value is None for value in wanted):
        return
    found = _others(writer, kind, [kind.fields[name] for name in rule.fields], wanted, record_id)
    if found:
        raise DuplicatesDetected(kind.name, _Hit(rule, found))


def _others(
    writer: Writer, kind: ObjectType, fields: Sequence[Field], values: Sequence[Any], record_id: str
) -> list[str]:
    """Live records other than the given one that have the values, without case."""
    same = [
        f"lower({identifier(field.name)}) = lower(?)" if isinstance(value, str) else f"{identifier(field.name)} = ?"
        for field, value in zip(fields, values, strict=True)
    ]
    live = " AND NOT IsDeleted" if kind.find("IsDeleted") else ""
    sql = f"SELECT Id FROM {identifier(kind.name)} WHERE {' AND '.join(same)} AND Id <> ?{live} ORDER BY Id LIMIT 10"
    return [row[0] for row in writer.select(sql, [*values, record_id])]
