"""Which published columns hold personal data of which class, and what the settings let analysts see of it.

``publish.mask`` names a class, a schema, a table or a column, the narrowest name counts; ``publish.mask_personal`` is a
hash of whatever it does not name. What is published at all is ``published_tables``.
"""

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import duckdb

from data_contracts.contracts import PERSONAL_CLASSES, Column, TableContract, contract_names, literal, load_contract
from data_contracts.errors import SettingsError
from data_contracts.settings import Publish
from pipelines.tables import table_columns

Act = Literal["hash", "null", "drop", "show"]
#: Begins what the description of a masked column says of it.
MASKED = "(masked:"
_TOLD = {"hash": f"{MASKED} a keyed hash)", "null": f"{MASKED} left empty)"}
#: Types that may hold personal text in a column no contract classifies (a custom field of a contact).
TEXT_TYPES = ("VARCHAR", "DATE", "VARCHAR[]", "JSON")
#: Class of a field that only the org describes, by its type there, else by the words of its name.
_BY_TYPE = {"email": "email", "phone": "phone", "address": "address", "textarea": "text"}
_NEVER = {"boolean", "int", "double", "currency", "percent", "id", "reference", "datetime"}
_BY_WORD = (
    ("email", r"e_?mail"),
    ("phone", r"phone|mobile|fax|telefon"),
    ("birth", r"birth|geburt"),
    ("address", r"street|city|postal|zip|state|province|country|address|latitude|longitude"),
    ("job", r"title|department|position"),
    ("name", r"name|salutation|suffix"),
)
#: Reasons whose wording quotes a person.
_QUOTING = "('accepted', 'deferred', 'asked_again', 'forbidden', 'below_threshold')"


@dataclass(frozen=True)
class Policy:
    """What may be seen: the settings, and the class of each field by ``<object>.<field>``, empty where not personal."""

    publish: Publish
    field_classes: Mapping[str, str] = field(default_factory=dict)

    def act(self, table: str, column: str, personal_class: str) -> Act:
        """Say what becomes of a column; one without a class is only touched by its own name."""
        named = self.publish.mask.get(f"{table}.{column}")
        if named or not personal_class:
            return named or "show"
        for key in (table, table.partition(".")[0], personal_class):
            if key in self.publish.mask:
                return self.publish.mask[key]
        return "hash" if self.publish.mask_personal else "show"

    def names(self, table: str, column: str, personal_class: str) -> bool:
        """Whether the settings say of this very column, its table, schema or class what becomes of it."""
        return bool({f"{table}.{column}", table, table.partition(".")[0], personal_class} & self.publish.mask.keys())

    @property
    def hides(self) -> bool:
        """Whether anything is masked, hidden or left out at all."""
        publish = self.publish
        masks = publish.mask_personal or any(act != "show" for act in publish.mask.values())
        return bool(masks or publish.hidden_columns or publish.schemas is not None)


def read_policy(con: duckdb.DuckDBPyConnection, publish: Publish) -> Policy:
    """Return the policy of the settings; ``salesforce.field`` of the database tells the classes of fields."""
    classes: dict[str, str] = {}
    if {"object_name", "field_name", "type"} <= table_columns(con, "salesforce.field").keys():
        described = con.sql("SELECT DISTINCT object_name, field_name, lower(coalesce(type, '')) FROM salesforce.field")
        for item, name, kind in described.fetchall():
            classes[f"{item}.{name}"] = "" if kind in _NEVER or _is_key(name) else class_of_field(name, kind)
    for table in (name for name in contract_names() if name.startswith("salesforce.")):
        for column in load_contract(table).columns:
            classes[f"{table.partition('.')[2]}.{column.name}"] = column.personal_class
    return Policy(publish, classes)


def class_of_field(name: str, kind: str = "") -> str:
    """Return the class of a field nobody has classified, by its type in the org and the words of its name."""
    plain = name.lower()
    worded = next((found for found, words in _BY_WORD if re.search(words, plain)), "other")
    return _BY_TYPE.get(kind, worded)


def class_of(contract: TableContract | None, table: str, column: Column, policy: Policy) -> str:
    """Return the class of personal data a published column holds, empty where it holds none.

    Beside personal data, or where nothing is classified, an unclassified text is taken to be personal too.
    """
    promised = {item.name: item for item in contract.columns} if contract else {}
    if column.name in promised:
        return promised[column.name].personal_class
    doubtful = contract is None or contract.is_personal
    if not doubtful or column.type not in TEXT_TYPES or _is_key(column.name):
        return ""
    described = policy.field_classes.get(f"{table.partition('.')[2]}.{column.name}")
    return described or class_of_field(column.name)


def masked_columns(
    contract: TableContract | None, table: str, columns: Collection[tuple[Column, str]], policy: Policy
) -> list[tuple[Column, str]]:
    """Return the columns with their expressions as the policy lets them be seen; dropped ones are left out."""
    names = {column.name for column, _ in columns}
    quotes = {"decided_by", "reason_code"} <= names and policy.act(table, "decided_by", "user") != "show"
    shown = []
    for column, expression in columns:
        found = class_of(contract, table, column, policy)
        if found == "value" and not policy.names(table, column.name, found):
            shown.append(_values_of_fields(column, expression, policy))
            continue
        if quotes and column.name == "reason" and not found:
            # The reason of a person's link names that person: what is left is its code.
            expression = f"CASE WHEN reason_code IN {_QUOTING} THEN reason_code ELSE {expression} END"
        act = policy.act(table, column.name, found)
        if act != "drop":
            shown.append(_masked(column, expression, act))
    return shown


def _masked(column: Column, expression: str, act: Act) -> tuple[Column, str]:
    """Replace a value; one that an earlier publishing has masked is not hashed again."""
    if act == "show" or (act == "hash" and MASKED in column.description):
        return column, expression
    description = f"{column.description.partition(' ' + MASKED)[0]} {_TOLD[act]}"
    if act == "null":
        return replace(column, description=description, required=False), f"NULL::{column.type}"
    return replace(column, type="VARCHAR", description=description), hashed(expression)


def hashed(expression: str) -> str:
    """Return SQL of a keyed hash: equal values stay equal, which is all that joins and counts need."""
    key = "getvariable('masking_key')"
    return f"left(sha256({key} || sha256({key} || ({expression})::VARCHAR)), 32)"


def _values_of_fields(column: Column, expression: str, policy: Policy) -> tuple[Column, str]:
    """Mask a column that holds values of any field as the field is masked that each row's value came from."""
    people = {name: found for name, found in policy.field_classes.items() if name.startswith(("contact.", "lead."))}
    acts: dict[Act, list[str]] = {}
    for name, found in people.items():
        source, _, field_name = name.partition(".")
        acts.setdefault(policy.act(f"salesforce.{source}", field_name, found), []).append(literal(name))
    unknown = policy.act("imports.value", "", "other")
    if unknown == "show" and not acts.keys() - {"show"}:
        return column, expression
    # What an earlier publishing has masked under other settings is not told from what it has not: it goes.
    hidden = "NULL" if MASKED in column.description else hashed(expression)
    masks = {"show": expression, "hash": hidden, "null": "NULL", "drop": "NULL"}
    origin = "object || '.' || coalesce(source_field, '')"
    cases = [f"WHEN {origin} IN ({', '.join(names)}) THEN {masks[act]}" for act, names in acts.items()]
    sql = f"CASE WHEN object = 'account' THEN {expression} {' '.join(cases)} ELSE {masks[unknown]} END"
    description = f"{column.description.partition(' ' + MASKED)[0]} {MASKED} as the field that a value came from)"
    return replace(column, description=description, required=False), sql


def check_mask(publish: Publish, columns: Iterable[str]) -> None:
    """Raise SettingsError for a key of ``publish.mask`` that is no class, schema, table or column of the snapshot."""
    known = {*PERSONAL_CLASSES}
    for name in columns:
        schema, table, _ = name.split(".", 2)
        known |= {schema, f"{schema}.{table}", name}
    for key in publish.mask:
        if key not in known:
            raise unknown_name("publish.mask", key, sorted(known))


def unknown_name(key: str, value: str, known: Iterable[str]) -> SettingsError:
    """Return the error for a name of the settings that does not exist: a misspelt one would be published after all."""
    near = difflib.get_close_matches(value, list(known), n=1)
    return SettingsError(
        f"{key}: {value!r} does not exist",
        why=f"did you mean {near[0]!r}?" if near else "no class, published schema, table or column has this name",
        next_step="correct it in crosswalk.yaml; nothing was published, the last snapshot stays",
    )


def _is_key(name: str) -> bool:
    return name.startswith("_") or name.endswith(("Id", "_id"))
