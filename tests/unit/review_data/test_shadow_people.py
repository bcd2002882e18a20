"""Shadow mode for people: a field may name the person, the person's company, or a contact."""

from collections.abc import Iterator

import duckdb
import pytest

from pipelines.review.shadow import shadow, shadow_fields

LEADS = [f"00Q{number:015d}" for number in range(1, 6)]
CONTACTS = [f"003{number:012d}AAA" for number in range(1, 4)]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Five leads; the first three are linked to p1, p2 and p3 of the companies c1, c1 and c2."""
    with duckdb.connect() as con:
        for schema in ("salesforce", "crosswalk", "standard"):
            con.execute(f"CREATE SCHEMA {schema}")
        for table, letter, name in (("person", "p", "Person"), ("company", "c", "Firm")):
            con.execute(
                f"CREATE TABLE standard.{table} AS SELECT '{letter}' || n AS {table}_id, '{name} ' || n AS name_raw "
                "FROM range(1, 6) t(n)"
            )
        for table, name, ids in (("lead", "Lee", LEADS), ("contact", "Kim", CONTACTS)):
            made = f"CREATE TABLE standard.{table} AS SELECT unnest($ids) AS salesforce_id, '{name}' AS name_raw"
            con.execute(made, {"ids": ids})
        con.execute(
            "CREATE TABLE crosswalk.lead AS SELECT unnest($l) AS salesforce_id, "
            "unnest(['linked', 'linked', 'linked', 'unmatched', 'in_review']) AS status, 'because' AS reason, "
            "unnest(['p1', 'p2', 'p3', NULL, 'p4']) AS reference_id, NULL AS account_id, "
            "unnest(['c1', 'c1', 'c2', NULL, NULL]) AS company_reference_id",
            {"l": LEADS},
        )
        con.execute(
            "CREATE TABLE crosswalk.contact AS SELECT unnest($c) AS salesforce_id, "
            "unnest(['linked', 'linked', 'unmatched']) AS status, unnest(['p1', 'p3', NULL]) AS reference_id",
            {"c": CONTACTS},
        )
        yield con


def _mirror(con: duckdb.DuckDBPyConnection, **fields: list[str | None]) -> None:
    columns = ", ".join(f'unnest(${name}) AS "{name}"' for name in fields)
    con.execute(
        f'CREATE TABLE salesforce.lead AS SELECT unnest($leads) AS "Id", false AS _is_deleted, {columns}',
        {"leads": LEADS, **fields},
    )


def _verdicts(con: duckdb.DuckDBPyConnection, field: str) -> dict[str, int]:
    found = shadow(con, "lead", field)
    names = ("agree", "other", "only_theirs", "only_ours", "unknown", "neither")
    return {name: getattr(found, name) for name in names if getattr(found, name)}


def test_a_field_that_names_the_person(con: duckdb.DuckDBPyConnection) -> None:
    _mirror(con, Match__c=["P1", "p5", "p9", "p4", None])
    assert _verdicts(con, "Match__c") == {"agree": 1, "other": 1, "unknown": 1, "only_theirs": 1, "neither": 1}
    assert shadow(con, "lead", "Match__c").compared_with == "reference_id"


def test_a_field_that_names_the_persons_company(con: duckdb.DuckDBPyConnection) -> None:
    _mirror(con, Firm__c=["c1", "c2", None, "C3", None])
    found = shadow(con, "lead", "Firm__c")
    assert found.compared_with == "company_reference_id"
    assert _verdicts(con, "Firm__c") == {"agree": 1, "other": 1, "only_ours": 1, "only_theirs": 1, "neither": 1}
    row = next(row for row in found.rows if row.verdict == "other")
    assert (row.theirs_name, row.ours_name) == ("Firm 2", "Firm 1")


def test_a_lookup_to_contact_stands_for_the_person_it_is_linked_to(con: duckdb.DuckDBPyConnection) -> None:
    # Ids of 15 letters are the same ones.
    _mirror(con, Contact__c=[CONTACTS[0], CONTACTS[1][:15], CONTACTS[2], CONTACTS[1], None])
    found = shadow(con, "lead", "Contact__c")
    assert found.compared_with == "reference_id of that contact"
    assert _verdicts(con, "Contact__c") == {"agree": 1, "other": 1, "unknown": 1, "only_theirs": 1, "neither": 1}
    row = next(row for row in found.rows if row.verdict == "other")
    assert (row.theirs_name, row.ours_name) == ("Kim", "Person 2")


def test_the_fields_that_could_hold_a_match(con: duckdb.DuckDBPyConnection) -> None:
    _mirror(con, ConvertedContactId=[None] * 5, Match__c=["p1", None, None, None, None])
    assert shadow_fields(con, "lead") == ("Match__c", "ConvertedContactId")
