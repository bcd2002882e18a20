"""The data dictionary: one page of Markdown made from the contracts, so that page, DDL and comments cannot differ.

Columns known only at run time (API fields of the org, mapped targets, custom filters) are in the snapshot's comments.
"""

from data_contracts.contracts import Column, TableContract, contract_names, load_contract

SCHEMAS = {
    "salesforce": "The mirror of the org: every record seen, with the types that describe gives.",
    "reference": "The reference database of companies and people that records are matched to.",
    "standard": "The values matching sees, cleaned, one column each.",
    "match": "Candidates with their weights, and what people decided.",
    "crosswalk": "Which Salesforce record is which reference entity, and why.",
    "imports": "The Salesforce fields an admin chose, per record and per entity, with their origin.",
    "ownership": "Who owns which entity in the CRM, with lists, filters and opportunities.",
    "ops": "What runs did, found and cost, and what was believed when.",
}
_HEAD = """\
# Data dictionary

Every table and column of `published/analytics.duckdb`, from the contracts in `data_contracts/tables`. This page is made
by `crosswalk dictionary --out docs/dictionary.md`; do not edit it. Real questions with their SQL are in
[queries](queries.md).

Times are UTC. **Key** marks the columns that name a row, **!** a column that is never empty. **Personal** is the class
by which `publish.mask` hides a column ([privacy](privacy.md)). Beside the columns below, `salesforce.*` has every
readable field of the org, `imports.*` the mapped targets and `ownership.*` the custom filters; their comments in the
snapshot say what they are:

```sql
SELECT column_name, data_type, comment FROM duckdb_columns() WHERE schema_name = 'imports' AND table_name = 'company';
```

`as_of(day)` and `ownership_as_of(day)` are table macros of the snapshot: `ops.link_history` and `ops.ownership_history`
as they stood at the end of a day, or at a moment.
"""


def dictionary_page() -> str:
    """Return the page: schemas in the order data flows, their tables by name, each with its columns."""
    parts = [_HEAD, _contents()]
    for schema, meaning in SCHEMAS.items():
        parts.append(f"## {schema}\n\n{meaning}\n")
        parts += [_table(load_contract(name)) for name in _tables(schema)]
    return "\n".join(parts)


def _tables(schema: str) -> list[str]:
    return [name for name in contract_names() if name.partition(".")[0] == schema]


def _contents() -> str:
    lines = ["| schema | tables |", "|---|---|"]
    for schema in SCHEMAS:
        links = ", ".join(f"[{name.partition('.')[2]}](#{_anchor(name)})" for name in _tables(schema))
        lines.append(f"| [{schema}](#{schema}) | {links} |")
    return "\n".join(lines) + "\n"


def _anchor(name: str) -> str:
    return name.replace(".", "")


def _table(contract: TableContract) -> str:
    (table,) = contract.document.schema_ or []
    lines = [f"### {contract.name}", "", _text(contract.description), "", f"{_text(_grain(contract))}."]
    lines += ["", "| column | type | | meaning | personal |", "|---|---|---|---|---|"]
    lines += [_column(column) for column in contract.columns]
    rules = [(item.name, item.description, item.severity) for item in table.quality or ()]
    if rules:
        lines += ["", "Held by a check: "
                  + "; ".join(f"{_text(text or name or '')}{' (a warning)' if severity == 'warning' else ''}"
                              for name, text, severity in rules) + "."]  # fmt: skip
    return "\n".join(lines) + "\n"


def _grain(contract: TableContract) -> str:
    (table,) = contract.document.schema_ or []
    grain = (table.dataGranularityDescription or "").strip().rstrip(".")
    return grain[:1].upper() + grain[1:]


def _column(column: Column) -> str:
    marks = "key" if column.primary_key else "!" if column.required else ""
    meaning = _text(column.description)
    if column.allowed:
        meaning += f" (one of: {', '.join(f'`{value}`' for value in column.allowed)})"
    return f"| `{column.name}` | {column.type} | {marks} | {meaning} | {column.personal_class} |"


def _text(text: str) -> str:
    """Keep a description on one line of a table, as it is."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
