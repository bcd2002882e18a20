"""Table contracts: one ODCS YAML file per published table, read into what DDL, comments and checks need.

A contract file is ``tables/<schema>/<table>.odcs.yaml``. Columns known only at run time (API fields of an
object, mapped target columns) are passed as ``extra`` and carry their own description.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml
from open_data_contract_standard.model import OpenDataContractStandard, SchemaProperty

from data_contracts.errors import ContractError

TABLES = Path(__file__).parent / "tables"
_ANY_OBJECT = Path(__file__).parent / "mirrored_object.odcs.yaml"

#: Classes of personal data, the first tag of a column whose classification is personal. ``user`` are people who work
#: with the CRM, ``value`` holds values of any field, ``other`` what nobody has classified.
PERSONAL_CLASSES = ("name", "email", "phone", "address", "birth", "job", "text", "user", "value", "other")


def quoted(identifier: str) -> str:
    """Return ``identifier`` as a quoted SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return ``text`` as a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class Column:
    """One promised column: DuckDB type, whether it may be null, what it means, its personal-data class.

    ``personal_class`` is one of ``PERSONAL_CLASSES``, empty where it is not known or the column holds nothing personal.
    """

    name: str
    type: str
    description: str
    required: bool = False
    primary_key: bool = False
    unique: bool = False
    personal: bool = False
    allowed: tuple[str, ...] = ()
    personal_class: str = ""


@dataclass(frozen=True)
class TableContract:
    """The promise of one table; ``name`` is ``schema.table``."""

    name: str
    description: str
    columns: tuple[Column, ...]
    document: OpenDataContractStandard = field(repr=False, compare=False)

    @property
    def relation(self) -> str:
        """The quoted ``"schema"."table"``."""
        return ".".join(quoted(part) for part in self.name.split("."))

    @property
    def is_personal(self) -> bool:
        """Whether the table holds personal data: a column says so, or its tag, where columns come at run time."""
        tags = (self.document.schema_ or [])[0].tags or ()
        return "personal" in tags or any(column.personal for column in self.columns)

    def column_types(self) -> dict[str, str]:
        """Column name → DuckDB type, in order."""
        return {column.name: column.type for column in self.columns}

    def ddl(self, *, extra: Sequence[Column] = (), replace: bool = False, relation: str = "") -> str:
        """Return CREATE TABLE for the promised columns and ``extra`` ones; primary key columns are NOT NULL.

        Keys and uniqueness are proven by checks, not by an ART index, which costs more than the load itself.
        """
        lines = [
            f"  {quoted(column.name)} {column.type}" + (" NOT NULL" if column.required or column.primary_key else "")
            for column in (*self.columns, *extra)
        ]
        verb = "CREATE OR REPLACE TABLE" if replace else "CREATE TABLE IF NOT EXISTS"
        return f"{verb} {relation or self.relation} (\n" + ",\n".join(lines) + "\n)"

    def comments(self, *, extra: Sequence[Column] = (), relation: str = "") -> list[str]:
        """Return one COMMENT statement for the table and one per column."""
        target = relation or self.relation
        return [f"COMMENT ON TABLE {target} IS {literal(self.description)}"] + [
            f"COMMENT ON COLUMN {target}.{quoted(column.name)} IS {literal(column.description)}"
            for column in (*self.columns, *extra)
        ]


@cache
def load_contract(name: str) -> TableContract:
    """Return the contract of ``schema.table``.

    Raises ContractError naming the file when it is missing or does not hold exactly one table.
    """
    schema, _, table = name.partition(".")
    path = TABLES / schema / f"{table}.odcs.yaml"
    if not path.is_file():
        raise ContractError(
            f"there is no contract for table {name}",
            why=f"data_contracts/tables/{schema}/{table}.odcs.yaml does not exist",
            next_step="add the file, or correct the table's name",
        )
    return _read(name, path)


@cache
def object_contract(table: str) -> TableContract:
    """Return the contract of ``salesforce.<table>``: its own, or what every mirrored object promises."""
    name = f"salesforce.{table}"
    return load_contract(name) if name in contract_names() else _read(name, _ANY_OBJECT)


def _read(name: str, path: Path) -> TableContract:
    # The standard's own from_file parses in Python: a second and a half for all contracts, in every process.
    parsed = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    document = OpenDataContractStandard(**parsed)
    tables = document.schema_ or []
    if len(tables) != 1 or not tables[0].properties:
        raise ContractError(f"the contract {path.name} must describe exactly one table with columns")
    columns = tuple(_column(item) for item in tables[0].properties)
    return TableContract(name, (tables[0].description or "").strip(), columns, document)


@cache
def contract_names() -> tuple[str, ...]:
    """Every table that has a contract, as ``schema.table``, sorted."""
    return tuple(
        sorted(f"{path.parent.name}.{path.name.removesuffix('.odcs.yaml')}" for path in TABLES.glob("*/*.odcs.yaml"))
    )


def _column(item: SchemaProperty) -> Column:
    return Column(
        name=item.name or "",
        type=item.physicalType or "VARCHAR",
        description=(item.description or "").strip(),
        required=bool(item.required),
        primary_key=bool(item.primaryKey),
        unique=bool(item.unique),
        personal=item.classification == "personal",
        allowed=tuple(str(value.value) for value in item.enum or ()),
        personal_class=next(iter(item.tags or ()), "") if item.classification == "personal" else "",
    )
