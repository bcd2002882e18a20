"""A field mapping as SQL: the value of each target, and which of its choices gave it.

Everything is an expression over one row of ``salesforce.<object>``, aliased ``s``; no statement is run here.
"""

from collections.abc import Collection, Iterable

from data_contracts.contracts import literal, quoted
from data_contracts.mapping import ObjectMapping, Target

#: Text transforms by name; ``x`` is the trimmed, non-empty text.
_TRANSFORMS = {
    "trim": "trim({x})",
    "lower": "lower(trim({x}))",
    "upper": "upper(trim({x}))",
    "domain": "nullif(regexp_extract(lower(trim({x})), "
    r"'^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@\s]*@)?(?:www\.)?([^/:?#\s]+)', 1), '')",
    "phone": "nullif(regexp_replace({x}, '[^0-9+]', '', 'g'), '')",
}


def choice_name(target: Target) -> str:
    """Name of the column that holds which choice (from 1; 0: static) gave the target's value."""
    return f"{target.name}__choice"


def select_list(mapping: ObjectMapping, available: Collection[str]) -> str:
    """Return the select list: each target's value under its name, and its choice beside it.

    A source that ``available`` lacks counts as empty.
    """
    items: list[str] = []
    for target in mapping.targets:
        choice = _choice(target, mapping, available)
        items += [f"{_value(target, choice, available)} AS {quoted(target.name)}"]
        items += [f"CAST({choice} AS TINYINT) AS {quoted(choice_name(target))}"]
    return ",\n  ".join(items)


def missing_required(mapping: ObjectMapping, alias: str) -> str:
    """Return a condition that is true where a required target of the row ``alias`` is empty."""
    tests = [f"{alias}.{quoted(target.name)} IS NULL" for target in mapping.targets if target.required]
    return " OR ".join(tests) if tests else "FALSE"


def differs(target: Target, record: str, reference: str) -> str:
    """Return a condition: the record's value is there and is not what the reference holds."""
    mine, theirs = (_comparable(target, f"{alias}.{quoted(target.name)}") for alias in (record, reference))
    return f"({record}.{quoted(target.name)} IS NOT NULL AND {mine} IS DISTINCT FROM {theirs})"


def _comparable(target: Target, value: str) -> str:
    """Spelling apart: case, blanks, the punctuation of a phone number, the dress of a website."""
    if target.type != "VARCHAR":
        return f"TRY_CAST({value} AS {target.type})"
    text = f"CAST({value} AS VARCHAR)"
    if target.name in ("phone", "mobile"):
        return f"regexp_replace({text}, '[^0-9]', '', 'g')"
    if target.name == "website":
        return f"rtrim(regexp_replace(lower(trim({text})), '^(?:https?://)?(?:www\\.)?', ''), '/')"
    return f"lower(trim(regexp_replace({text}, '\\s+', ' ', 'g')))"


def _filled(field: str, available: Collection[str]) -> str:
    if field not in available:
        return "NULL"
    column = f"CAST(s.{quoted(field)} AS VARCHAR)"
    return f"CASE WHEN trim({column}) <> '' THEN {column} END"


def _choice(target: Target, mapping: ObjectMapping, available: Collection[str]) -> str:
    """The number of the first choice that has a value; a group's targets share theirs."""
    together = [item for item in mapping.targets if target.group and item.group == target.group] or [target]
    count = max((len(item.sources) for item in together), default=0)
    cases = []
    for place in range(count):
        fields = [item.sources[place] for item in together if place < len(item.sources)]
        cases.append(f"WHEN {_any_filled(fields, available)} THEN {place + 1}")
    default = "0" if target.static is not None else "NULL"
    return f"(CASE {' '.join(cases)} ELSE {default} END)" if cases else default


def _any_filled(fields: Iterable[str], available: Collection[str]) -> str:
    tests = [f"trim(CAST(s.{quoted(field)} AS VARCHAR)) <> ''" for field in fields if field in available]
    # `<> ''` of a null is null, and null OR true is true: coalesce only the whole.
    return f"coalesce({' OR '.join(tests)}, FALSE)" if tests else "FALSE"


def _value(target: Target, choice: str, available: Collection[str]) -> str:
    cases = [f"WHEN {place} THEN {_filled(field, available)}" for place, field in enumerate(target.sources, start=1)]
    value = f"CASE {choice} {' '.join(cases)} END" if cases else "CAST(NULL AS VARCHAR)"
    if target.static is not None:
        value = f"coalesce({value}, {literal(target.static)})"
    value = _TRANSFORMS[target.transform].format(x=value) if target.transform != "none" else value
    return value if target.type == "VARCHAR" and cases else f"TRY_CAST({value} AS {target.type})"
