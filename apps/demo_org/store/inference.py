"""What type an unknown CSV column gets.

Belongs here: the evidence asked of DuckDB and the decision. Text unless every value looks otherwise: leading
zeros, long digit strings and codes stay text. Not here: reading the file.
"""

import re
from typing import Any

from apps.demo_org.store.schema import Field, custom_field

#: Aggregates over the text column {c}; their order is that of Evidence's arguments.
_EVIDENCE = (
    "count({c})",
    "count({c}) FILTER (lower({c}) IN ('true', 'false'))",
    "count({c}) FILTER (regexp_full_match({c}, '-?(0|[1-9][0-9]{{0,13}})([.][0-9]{{1,8}})?([eE][0-9]{{1,2}})?'))",
    "count({c}) FILTER (regexp_full_match({c}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"
    " AND TRY_CAST({c} AS DATE) IS NOT NULL)",
    "count({c}) FILTER (regexp_full_match({c}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T ][0-9]{{2}}:[0-9]{{2}}.*')"
    " AND TRY_CAST({c} AS TIMESTAMPTZ) IS NOT NULL)",
    "coalesce(max(length(regexp_extract({c}, '[.]([0-9]+)', 1))), 0)",
    "coalesce(max(length({c})), 0)",
)
EVIDENCE_COUNT = len(_EVIDENCE)
#: Whole numbers under such a name are identifiers, not quantities.
_CODE_NAME = re.compile(r"(id|key|code|number|no|num|zip|phone|fax|ref|external)(__p?c)?$", re.IGNORECASE)

#: Text under such a name is flagged as an external id, so records can be upserted by it.
_EXTERNAL_ID = re.compile(r"(ext|external|_)(id|key)?_?(id|key)__c$", re.IGNORECASE)


def evidence_sql(column: str) -> list[str]:
    """Aggregates that ``infer`` needs about a quoted text column."""
    return [e.format(c=column) for e in _EVIDENCE]


def infer(name: str, evidence: tuple[Any, ...]) -> Field:
    """The field for an unknown column from its evidence."""
    is_key = _EXTERNAL_ID.search(name) is not None
    values, booleans, numbers, dates, instants, scale, longest = (int(e) for e in evidence)
    if name == "CurrencyIsoCode":
        return custom_field(name, "picklist", length=3, byteLength=9)
    if values and booleans == values:
        return custom_field(name, "boolean")
    if values and numbers == values and not (scale == 0 and _CODE_NAME.search(name)):
        return custom_field(name, "double", scale=scale)
    if values and dates == values:
        return custom_field(name, "date")
    if values and instants == values:
        return custom_field(name, "datetime")
    if longest > 255:
        return custom_field(name, "textarea")
    return custom_field(name, "string", externalId=is_key, idLookup=is_key)
