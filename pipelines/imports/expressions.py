"""A field mapping as SQL: the value of each target, and which of its choices gave it.

Everything is an expression over one row of ``salesforce.<object>``, aliased ``s``; no statement is run here.
"""

from collections.abc import Mapping, Sequence

from data_contracts.contracts import literal, quoted
from data_contracts.mapping import ObjectMapping, Target

#: Text transforms by name; ``x`` is the trimmed, non-empty text.
_TRANSFORMS = {
    "trim": "trim({x})",
    "lower": "lower(trim({x}))",
    "upper": "upper(trim({x}))",
    "email": "nullif(regexp_extract(lower(trim({x})), '^[^@\\s]+@[^@\\s]+$'), '')",
    "digits": "nullif(regexp_replace({x}, '[^0-9]', '', 'g'), '')",
    # The values of a multi-select picklist are separated by semicolons.
    "first": "nullif(trim(split_part({x}, ';', 1)), '')",
    "domain": "nullif(regexp_extract(lower(trim({x})), "
    r"'^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@\s]*@)?(?:www\.)?([^/:?#\s]+)', 1), '')",
    "phone": "nullif(regexp_replace({x}, '[^0-9+]', '', 'g'), '')",
}


def choice_name(target: Target) -> str:
    """Name of the column that holds which choice (from 1; 0: static) gave the target's value."""
    return f"{target.name}__choice"


def record_query(mapping: ObjectMapping, columns: Mapping[str, str], scope: str | None = None) -> str:
    """Return the query of an object's live records: salesforce_id, each target's value and, beside it, its choice.

    ``columns`` are those of ``salesforce.<object>`` with their types; a source that is not among them is empty.
    ``scope`` is a table of the records (salesforce_id) that are asked for, None for all.
    Choices are settled in an inner query, once per target or group.
    """
    choices: dict[str, str] = {}
    values: list[str] = []
    for target in mapping.targets:
        together = [item for item in mapping.targets if target.group and item.group == target.group] or [target]
        choice = quoted(choice_name(together[0]))
        choices.setdefault(choice, _choice(together, columns))
        static = "0" if target.static is not None else "NULL"
        values += [f"{_value(target, choice, columns)} AS {quoted(target.name)}"]
        values += [f"CAST(coalesce({choice}, {static}) AS TINYINT) AS {quoted(choice_name(target))}"]
    inner = "".join(f",\n    {expression} AS {name}" for name, expression in choices.items())
    listed = "".join(f",\n  {value}" for value in values)
    # Beside the scan: what is not asked for costs no expression.
    within = f" AND s.Id IN (SELECT salesforce_id FROM {scope})" if scope else ""
    return (
        f"SELECT s.Id AS salesforce_id{listed}\nFROM (SELECT s.*{inner}\n"
        f"  FROM salesforce.{quoted(mapping.object)} AS s WHERE NOT s._is_deleted{within}) AS s"
    )


def missing_required(mapping: ObjectMapping, alias: str) -> str:
    """Return a condition that is true where a required target of the row ``alias`` is empty."""
    tests = [f"{alias}.{quoted(target.name)} IS NULL" for target in mapping.targets if target.required]
    return " OR ".join(tests) if tests else "FALSE"


def differs(target: Target, record: str, reference: str) -> str:
    """Return a condition: the record's value is there and is not what the reference holds."""
    mine, theirs = f"{record}.{quoted(target.name)}", f"{reference}.{quoted(target.name)}"
    # CASE looks at spelling only where the values are not the same as they stand: most are.
    one, other = _comparable(target, mine), _comparable(target, theirs)
    apart = f"{one} IS DISTINCT FROM {other}"
    if target.name in ("phone", "mobile"):
        # With and without country code or trunk zero it is the same number: the last seven digits and all of one agree.
        national = [f"ltrim({digits}, '0')" for digits in (one, other)]
        same = f"ends_with({national[0]}, {national[1]}) OR ends_with({national[1]}, {national[0]})"
        apart = f"NOT (least(length({national[0]}), length({national[1]})) >= 7 AND ({same}))"
    return f"CASE WHEN {mine} IS NULL OR {mine} = {theirs} THEN FALSE WHEN {theirs} IS NULL THEN TRUE ELSE {apart} END"


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


def _is_filled(field: str, columns: Mapping[str, str]) -> str:
    """A condition; text of blanks only is empty."""
    column = f"s.{quoted(field)}"
    return f"trim({column}) <> ''" if columns[field] == "VARCHAR" else f"{column} IS NOT NULL"


def _choice(together: Sequence[Target], columns: Mapping[str, str]) -> str:
    """The number of the first choice of these targets that has a value."""
    cases = []
    for place in range(max(len(item.sources) for item in together)):
        fields = [item.sources[place] for item in together if place < len(item.sources)]
        tests = [_is_filled(field, columns) for field in fields if field in columns]
        if tests:
            cases.append(f"WHEN {' OR '.join(tests)} THEN {place + 1}")
    return f"CASE {' '.join(cases)} END" if cases else "NULL::INTEGER"


def _value(target: Target, choice: str, columns: Mapping[str, str]) -> str:
    """The chosen source's value, transformed, in the target's type."""
    text = target.type == "VARCHAR" or target.transform != "none"
    cases = []
    for place, field in enumerate(target.sources, start=1):
        if field in columns:
            column = f"s.{quoted(field)}"
            shown = f"CAST({column} AS VARCHAR)" if text and columns[field] != "VARCHAR" else column
            cases.append(f"WHEN {choice} = {place} AND {_is_filled(field, columns)} THEN {shown}")
    value = f"CASE {' '.join(cases)} END" if cases else "CAST(NULL AS VARCHAR)"
    if target.static is not None:
        value = f"coalesce({value}, {literal(target.static)})"
    value = _TRANSFORMS[target.transform].format(x=value) if target.transform != "none" else value
    return value if target.type == "VARCHAR" and cases else f"TRY_CAST({value} AS {target.type})"
