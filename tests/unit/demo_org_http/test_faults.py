import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.demo_org.errors import DemoOrgError
from apps.demo_org.fault_file import FaultFile, read_faults
from apps.demo_org.fault_plan import FaultPlan
from apps.demo_org.faults import AnswerStatus, JobFailed, Match


def write(path: Path, faults: object) -> Path:
    path.write_text(json.dumps(faults))
    return path


def status(**match: object) -> AnswerStatus:
    return AnswerStatus.model_validate({"action": "status", "status": 503, "match": match})


@given(nth=st.none() | st.integers(1, 8), after=st.integers(0, 8), times=st.none() | st.integers(1, 8))
def test_a_fault_hits_exactly_the_requests_its_match_picks(nth: int | None, after: int, times: int | None) -> None:
    plan = FaultPlan([status(nth=nth, after=after, times=times)])
    hits = [n for n in range(1, 21) if plan.fire("GET", "/x", None)]
    wanted = [n for n in range(1, 21) if (n == nth if nth else n > after)]
    assert hits == wanted[:times]


def test_only_matching_requests_are_counted() -> None:
    plan = FaultPlan([status(method="post", path=r"/jobs/query/?$", object="account", nth=2)])
    assert not plan.fire("GET", "/services/data/v60.0/jobs/query", "Account")
    assert not plan.fire("POST", "/services/data/v60.0/jobs/query", "Contact")
    assert not plan.fire("POST", "/services/data/v60.0/jobs/query", "Account")
    assert plan.fire("POST", "/services/data/v60.0/jobs/query/", "Account").names() == "status"
    assert not plan.fire("POST", "/services/data/v60.0/jobs/query", "Account")


def test_twins_in_the_file_are_counted_apart() -> None:
    plan = FaultPlan([status(times=1), status(times=1)])
    assert [len(plan.fire("GET", "/x", None)) for _ in range(3)] == [2, 0, 0]


def test_a_field_stays_hidden_once_its_fault_fired_and_shows_again_without_it(tmp_path: Path) -> None:
    hide = {"action": "hide_field", "object": "Account", "field": "Phone", "match": {"path": "describe", "nth": 2}}
    file = write(tmp_path / "faults.json", [hide])
    faults = FaultFile(file)
    hidden = []
    for _ in range(3):
        faults.current().fire("GET", "/sobjects/Account/describe", "Account")
        hidden.append(("Account", "Phone") in faults.plan.hidden_fields)
    assert hidden == [False, True, True]
    write(file, [])
    assert faults.current().hidden_fields == frozenset()


def test_a_changed_file_keeps_the_counts_of_faults_that_stay(tmp_path: Path) -> None:
    once = {"action": "quota_exhausted", "match": {"times": 1}}
    faults = FaultFile(write(tmp_path / "faults.json", [once]))
    assert faults.current().fire("GET", "/x", None).names() == "quota_exhausted"
    write(tmp_path / "faults.json", [once, {"action": "delay", "seconds": 0.5}])
    assert faults.current().fire("GET", "/x", None).names() == "delay"


def test_a_broken_change_leaves_the_faults_in_force(tmp_path: Path) -> None:
    faults = FaultFile(write(tmp_path / "faults.json", [{"action": "quota_exhausted"}]))
    (tmp_path / "faults.json").write_text("[{")
    assert faults.current().fire("GET", "/x", None).names() == "quota_exhausted"


def test_yaml_is_read_too_and_defaults_say_where_an_action_applies(tmp_path: Path) -> None:
    (tmp_path / "faults.yaml").write_text("- action: job_failed\n  message: no\n  match: {object: Lead}\n")
    (fault,) = read_faults(tmp_path / "faults.yaml")
    assert isinstance(fault, JobFailed)
    assert fault.match == Match(method="POST", path="/jobs/query/?$", object="Lead")


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ([{"action": "explode"}], "explode"),
        ([{"action": "delay", "seconds": 1}, {"action": "delay"}], "fault 2, seconds: Field required"),
        ([{"action": "status", "status": 999}], "status"),
        ([{"action": "delay", "seconds": 1, "match": {"path": "("}}], "not a regular expression"),
        ([{"action": "delay", "seconds": 1, "match": {"nth": 0}}], "counted from 1"),
        ([{"action": "delay", "seconds": 1, "secnods": 2}], "secnods"),
        ({"action": "delay", "seconds": 1}, "list"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, faults: object, message: str) -> None:
    with pytest.raises(DemoOrgError) as error:
        read_faults(write(tmp_path / "faults.json", faults))
    assert message in str(error.value)
    assert "docs/demo-org.md" in str(error.value)


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    for name in ("absent.json", "binary.json"):
        with pytest.raises(DemoOrgError, match=name):
            read_faults(tmp_path / name)
