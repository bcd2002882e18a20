"""What is masked: by class, schema, table and column, the narrowest first; kept snapshots follow what is hidden."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from data_contracts.contracts import load_contract
from data_contracts.errors import SettingsError
from data_contracts.settings import Publish
from pipelines.publish.masking import class_of_field
from pipelines.publish.published_tables import published_tables
from pipelines.publish.snapshot import publish_snapshot
from pipelines.publish.snapshot_files import earlier_snapshots
from pipelines.run import RunContext
from resources.home import Home
from tests.support.org_tables import put_salesforce, warehouse

CANARIES = ("Zoltanbergqvist", "zolt@canary.example", "+4699887766", "Nickzolt")


def run_of(name: str) -> RunContext:
    return RunContext(name, "full", datetime.now(UTC), "s")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    made.prepare()
    with warehouse(tmp_path) as con:
        contact = {"LastName": CANARIES[0], "Email": CANARIES[1], "Phone": CANARIES[2], "Nickname__c": CANARIES[3]}
        put_salesforce(con, "contact", [{"Id": "K1", "Title": "Boss", **contact}])
        con.execute(load_contract("salesforce.field").ddl())
        con.execute(load_contract("imports.value").ddl())
        for field in ("LastName", "Email"):
            con.execute(
                "INSERT INTO imports.value (entity, reference_id, field, value, object, salesforce_id, source_field, "
                "run_id, changed_at) VALUES ('person', 'P1', ?, ?, 'contact', 'K1', ?, 'r', now()::TIMESTAMP)",
                [field.lower(), contact[field], field],
            )
        con.execute(
            "INSERT INTO imports.value (entity, reference_id, field, value, object, salesforce_id, source_field, "
            "run_id, changed_at) VALUES ('company', 'C1', 'name', 'Acme', 'account', 'A1', 'Name', 'r', now())"
        )
        con.execute(load_contract("crosswalk.contact").ddl())
        con.execute(
            "INSERT INTO crosswalk.contact (salesforce_id, status, reference_id, method, candidate_count, reason_code, "
            "reason, decided_by, company_reason, run_id) VALUES ('K1', 'linked', 'P1', 'person', 1, 'accepted', "
            "'accepted by ingrid: met her', 'ingrid', 'none', 'r')"
        )
    return made


def publish(home: Home, name: str, **settings: Any) -> None:
    with warehouse(home.root) as con:
        publish_snapshot(con, home, Publish(**settings), run_of(name))


def ask(path: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as con:
        return con.sql(query).fetchall()


def test_the_narrowest_name_counts(home: Home) -> None:
    mask = {"email": "hash", "name": "drop", "salesforce.contact.LastName": "show", "phone": "null", "user": "hash"}
    publish(home, "r1", mask=mask)
    (row,) = ask(home.published, "SELECT LastName, Email, Phone, Title FROM salesforce.contact")
    assert (row[0], len(row[1]), row[2:]) == (CANARIES[0], 32, (None, "Boss"))
    assert not {"Name", "Nickname__c"} & {item[0] for item in ask(home.published, "DESCRIBE salesforce.contact")}
    # Values of any field are masked as the field is that they came from; those of companies are no personal data.
    values = dict(ask(home.published, "SELECT field, value FROM imports.value"))
    assert values == {"lastname": CANARIES[0], "email": row[1], "name": "Acme"}
    # What a person decided no longer names that person, in words either.
    assert ask(home.published, "SELECT reason, decided_by = 'ingrid' FROM crosswalk.contact") == [("accepted", False)]


@pytest.mark.parametrize(("mask", "near"), [({"emial": "hash"}, "email"), ({"salesforce.contct": "null"}, "contact")])
def test_a_name_that_does_not_exist_is_refused(home: Home, mask: dict[str, Any], near: str) -> None:
    with warehouse(home.root) as con, pytest.raises(SettingsError, match=near):
        published_tables(con, Publish(mask=mask))


def test_null_may_be_written_as_yaml_writes_it() -> None:
    assert Publish.model_validate({"mask": {"email": None}}).mask == {"email": "null"}


def test_kept_snapshots_follow_a_later_mask_and_none_of_their_bytes_holds_what_it_hides(home: Home) -> None:
    publish(home, "r1")
    publish(home, "r2", mask={"email": "hash"})
    assert [ask(path, "SELECT run_id FROM _meta") for path in earlier_snapshots(home)] == [[("r1",)]]
    publish(home, "r3", mask={"email": "null", "name": "null", "phone": "null", "other": "null"})
    told = [ask(path, "SELECT Email, LastName, Title FROM salesforce.contact") for path in earlier_snapshots(home)]
    assert told == [[(None, None, "Boss")], [(None, None, "Boss")]]
    stamps = [path.name for path in earlier_snapshots(home)]
    assert stamps == sorted(stamps, reverse=True)
    for path in home.published.parent.rglob("*.duckdb"):
        data = path.read_bytes()
        assert [canary for canary in CANARIES if canary.encode() in data] == [], path
    # Nothing is masked twice, and what was hidden once does not come back.
    publish(home, "r4", mask={"email": "hash"}, keep=5)
    assert {ask(path, "SELECT Email FROM salesforce.contact")[0][0] for path in earlier_snapshots(home)} == {None}


def test_a_kept_snapshot_that_cannot_be_read_is_removed(home: Home) -> None:
    publish(home, "r1")
    publish(home, "r2")
    (kept,) = earlier_snapshots(home)
    kept.write_bytes(b"damaged")
    publish(home, "r3", mask_personal=True)
    assert kept not in earlier_snapshots(home)
    assert len(earlier_snapshots(home)) == 1


@pytest.mark.parametrize(
    ("field", "kind", "expected"),
    [("Private__c", "email", "email"), ("Fax2__c", "string", "phone"), ("Geburtstag__c", "date", "birth"),
     ("Home_City__c", "string", "address"), ("Nickname__c", "string", "name"), ("Note__c", "textarea", "text"),
     ("Hobby__c", "picklist", "other")],
)  # fmt: skip
def test_an_unclassified_field_has_the_class_of_its_type_or_its_name(field: str, kind: str, expected: str) -> None:
    assert class_of_field(field, kind) == expected
