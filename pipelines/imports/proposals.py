"""``imports.creation_proposal``: unmatched records worth creating in the reference, by the settings' criteria.

Who accepts or rejects one, and what becomes of it then, is ``pipelines.review``.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from data_contracts.contracts import literal, load_contract, quoted
from data_contracts.errors import SettingsError
from data_contracts.mapping import ENTITY, MappedObject
from data_contracts.mapping_rules import RESERVED
from data_contracts.settings import Settings
from data_contracts.settings_imports import Creation
from data_contracts.settings_words import nearest
from pipelines.imports.primary import open_opportunities
from pipelines.run import RunContext
from pipelines.tables import ensure_table, scalar, table_columns, transaction

_FOLDER = Path(__file__).parent
#: Columns of a proposal that are the record's mapped values of today.
VALUES = (
    *("name", "first_name", "last_name", "website", "email", "phone", "mobile", "title", "industry"),
    *("street", "city", "state", "postal_code", "country"),
)
ADDRESS = "address"


def build_creation_proposals(
    con: duckdb.DuckDBPyConnection, object_name: MappedObject, settings: Settings, run: RunContext
) -> int:
    """Bring the proposals of one object up to ``imports.<object>`` and return how many await a decision.

    A record is proposed when it is unmatched, has a name, is not a converted lead and meets ``imports.creation``.
    Decided proposals stay; undecided ones go with their reason to be. What is the same is not written.
    Raises SettingsError for a criterion that is no target of the object.
    """
    ensure_table(con, load_contract("imports.creation_proposal"))
    _unmatched(con, object_name, settings, run)
    key = {"object": object_name}
    stamp = {"run_id": run.run_id, "at": _moment(run), "entity": ENTITY[object_name]}
    con.execute((_FOLDER / "proposals.sql").read_text(encoding="utf-8"), key | stamp)
    with transaction(con):
        for statement in (_FOLDER / "proposals_write.sql").read_text(encoding="utf-8").split(";"):
            if statement.strip():
                con.execute(statement, key if "$object" in statement else None)
    for table in ("import_proposed", "import_unmatched", "import_other"):
        con.execute(f"DROP TABLE IF EXISTS {table}")
    waiting = "SELECT count(*) FROM imports.creation_proposal WHERE object = $object AND status = 'proposed'"
    return scalar(con, waiting, key)


def _unmatched(con: duckdb.DuckDBPyConnection, name: MappedObject, settings: Settings, run: RunContext) -> None:
    """Make ``import_unmatched``: the records worth creating, with every column a proposal takes from them."""
    mapped = table_columns(con, f"imports.{name}")
    listed = ", ".join(
        (f"i.{quoted(column)}::VARCHAR" if column in mapped else "NULL::VARCHAR") + f" AS {column}" for column in VALUES
    )
    known = "company_reference_id" in table_columns(con, f"crosswalk.{name}")
    company = "c.company_reference_id" if known else "NULL::VARCHAR"
    tests = ["i.data_status = 'no match'", *_criteria(con, name, settings, run, mapped)]
    con.execute(f"""
CREATE OR REPLACE TEMP TABLE import_unmatched AS
SELECT i.salesforce_id, {listed}, {company} AS company_id
FROM imports.{name} AS i
JOIN salesforce.{name} AS s ON s.Id = i.salesforce_id
JOIN crosswalk.{name} AS c ON c.salesforce_id = i.salesforce_id
WHERE {" AND ".join(tests)}""")


def _criteria(
    con: duckdb.DuckDBPyConnection, name: MappedObject, settings: Settings, run: RunContext, mapped: Collection[str]
) -> list[str]:
    """Return conditions over aliases i (the imported record) and s (of Salesforce); the name is asked for later."""
    chosen = settings.imports.creation.get(name, Creation())
    fields = table_columns(con, f"salesforce.{name}")
    tests = ["TRUE" if chosen.enabled else "FALSE"]
    if "IsConverted" in fields:
        tests.append("NOT coalesce(s.IsConverted, FALSE)")
    tests += [_filled(settings, name, "require", word, mapped) for word in chosen.require]
    if chosen.any_of:
        tests.append(f"({' OR '.join(_filled(settings, name, 'any_of', word, mapped) for word in chosen.any_of)})")
    if chosen.open_opportunity:
        found = open_opportunities(con, name)
        tests.append(f"s.{quoted(found[0])} IN (SELECT account_id FROM ({found[1]}))" if found else "FALSE")
    changed = next((field for field in ("LastModifiedDate", "SystemModstamp") if field in fields), None)
    if chosen.changed_within_days and changed:
        since = _moment(run) - timedelta(days=chosen.changed_within_days)
        tests.append(f"s.{quoted(changed)} >= TIMESTAMP {literal(since.isoformat(sep=' '))}")
    return tests


def _filled(settings: Settings, name: MappedObject, key: str, word: str, mapped: Collection[str]) -> str:
    """Return the condition that a target column, or the address, has a value."""
    if word == ADDRESS and {"street"} <= set(mapped):
        parts = [f"i.{part}" for part in ("city", "postal_code") if part in mapped]
        return f"(i.street IS NOT NULL AND coalesce({', '.join(parts or ['NULL'])}) IS NOT NULL)"
    if word in mapped and word not in RESERVED:
        return f"i.{quoted(word)} IS NOT NULL"
    if word in (*Creation().any_of, *Creation().require):
        return "FALSE"
    words = sorted({ADDRESS, *mapped} - set(RESERVED))
    guess = nearest(word, words)
    raise SettingsError(
        f"{settings.where('imports', 'creation', name, key)}: {word!r} is no target column of {name}"
        + (f"; did you mean {guess}?" if guess else ""),
        why=f"there are {', '.join(words)}",
        next_step="correct it, then run: crosswalk settings check",
    )


def _moment(run: RunContext) -> datetime:
    return run.started_at.replace(tzinfo=None)
