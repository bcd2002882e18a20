"""Over what an imported value may go, against an oracle in plain Python over many runs."""

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from data_contracts.settings import Settings
from pipelines.imports import build_entity_imports, build_imports
from tests.support.org_tables import fetch, put_crosswalk, put_reference, put_salesforce, run_context, warehouse

MODES = ("fill_if_blank", "tracked", "overwrite")


def settings(mode: str) -> Settings:
    address = ("street", "city", "state", "postal_code", "country")
    sources = {"street": "BillingStreet", "city": "BillingCity"}
    mapping: dict[str, Any] = {
        "phone": {"sources": ["Phone"], "mode": mode},
        "segment": {"sources": ["Segment__c"], "mode": mode},
        "employees": {"mode": mode},
    }
    mapping |= {name: {"sources": [sources[name]], "mode": mode} if name in sources else None for name in address}
    return Settings.model_validate({"imports": {"mapping": {"account": mapping}}})


def one_run(con: Any, mode: str, record: dict[str, Any], known: dict[str, Any], number: int) -> dict[str, Any]:
    """Import one account of one company and return what stands of it, with the cause of every change of this run."""
    put_salesforce(con, "account", [{"Id": "A1", "Name": "Acme"} | record],
                   ["Phone", "Segment__c", "BillingStreet", "BillingCity", "NumberOfEmployees"])  # fmt: skip
    put_crosswalk(con, "account", {"A1": "C1"})
    put_reference(con, "company", [{"company_id": "C1", "name": "Acme"} | known])
    run = run_context(f"run-{number}", day=number)
    build_imports(con, "account", settings(mode), run)
    build_entity_imports(con, "company", settings(mode), run)
    standing = dict(fetch(con, "SELECT field, value FROM imports.value WHERE reference_id = 'C1'"))
    names = ("phone", "segment", "employees", "street", "city")
    row = fetch(con, f"SELECT {', '.join(f'{name}::VARCHAR' for name in names)} FROM imports.company")[0]
    assert {name: value for name, value in zip(names, row, strict=True) if value is not None} == {
        name: value for name, value in standing.items() if name in names
    }, "the entity's row and its values say the same"
    return standing


TEXT = st.sampled_from([None, "x", "y", "z"])
STEP = st.fixed_dictionaries({"sf": TEXT, "ref": st.sampled_from([None, "x", "z", "as imported"]), "seg": TEXT})


def expected(mode: str, steps: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
    """What stands of phone and segment after each step."""
    found: list[tuple[Any, Any]] = []
    phone = before = segment = None
    for step in steps:
        reference = phone if step["ref"] == "as imported" else step["ref"]
        ours = phone is not None and reference in (phone, before)
        if mode == "overwrite" or reference is None:
            now = step["sf"]
        elif mode == "tracked":
            now = step["sf"] if ours or reference == step["sf"] else None
        else:
            now = phone if ours else None
        if now != phone:
            # What stood before is remembered with the value that took its place.
            before = phone if now is not None else None
            phone = now
        segment = segment if mode == "fill_if_blank" and segment else step["seg"]
        found.append((phone, segment))
    return found


@examples(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mode=st.sampled_from(MODES), steps=st.lists(STEP, min_size=1, max_size=4))
def test_what_stands_is_what_the_mode_allows(tmp_path_factory: Any, mode: str, steps: list[dict[str, Any]]) -> None:
    found, phone = [], None
    with warehouse(tmp_path_factory.mktemp("modes")) as con:
        for number, step in enumerate(steps, start=1):
            reference = phone if step["ref"] == "as imported" else step["ref"]
            record = {"Phone": step["sf"], "Segment__c": step["seg"]}
            standing = one_run(con, mode, record, {"phone": reference}, number)
            phone = standing.get("phone")
            found.append((phone, standing.get("segment")))
    assert found == expected(mode, steps)


def test_an_address_is_judged_as_a_whole_and_a_number_as_a_number(tmp_path: Path) -> None:
    record = {"BillingStreet": "1 A St", "BillingCity": "Ayr", "NumberOfEmployees": 7}
    with warehouse(tmp_path) as con:
        filled = one_run(con, "fill_if_blank", record, {"city": "Bath", "employees": None}, 1)
        assert (filled.get("street"), filled.get("city")) == (None, None), "the reference has an address of its own"
        assert filled["employees"] == "7"
        taken_up = one_run(con, "fill_if_blank", record | {"NumberOfEmployees": 8}, {"employees": 7}, 2)
        assert taken_up["employees"] == "7", "no longer blank, and by us: it stays as it was filled"
        assert (taken_up["street"], taken_up["city"]) == ("1 A St", "Ayr")


def test_the_feed_says_that_there_is_nothing_to_write(tmp_path: Path) -> None:
    with warehouse(tmp_path) as con:
        assert one_run(con, "tracked", {"Phone": "1"}, {"phone": None}, 1)["phone"] == "1"
        assert "phone" not in one_run(con, "tracked", {"Phone": "1"}, {"phone": "by hand"}, 2)
        feed = fetch(con, "SELECT old_value, new_value, cause FROM imports.change WHERE field = 'phone'")
        assert feed == [("1", None, "mode")]
