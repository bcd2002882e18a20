"""A file of decisions: what goes out comes back, and every fault is told by line, column and value."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.extract.report_slices import id18
from pipelines.review.decision_csv import COLUMNS, DecisionFileError, parse_decisions, read_decisions, write_decisions
from resources.decisions import JUDGEMENTS, Decision, DecisionStore
from resources.decisions_transfer import import_decisions

NOW = datetime(2026, 3, 1, tzinfo=UTC)
A = "001000000000001AAA"
HEADER = "object,salesforce_id,reference_id,judgement,decided_by,decided_at"
GOOD = f"account,{A},c1,positive,ann,2026-01-01T10:00:00+01:00"

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
NAME = TEXT.map(str.strip).filter(bool)
MOMENT = st.integers(0, 10**15).map(lambda micros: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros))
DECISION = st.builds(
    Decision,
    id=st.just(0),
    object=st.sampled_from(["account", "contact", "lead"]),
    salesforce_id=st.text("0123456789abcXYZ", min_size=15, max_size=15).map(id18),
    reference_id=NAME,
    judgement=st.sampled_from(JUDGEMENTS),
    reason=st.none() | TEXT.filter(bool),
    decided_by=NAME,
    decided_at=MOMENT,
    expires_at=st.none() | MOMENT,
    withdrawn_at=st.none() | MOMENT,
)


def written(decisions: list[Decision]) -> str:
    target = io.StringIO(newline="")
    assert write_decisions(decisions, target) == len(decisions)
    return target.getvalue()


@given(st.lists(DECISION, max_size=8))
@settings(deadline=None, max_examples=60)
def test_what_is_exported_is_what_is_imported(decisions: list[Decision]) -> None:
    rows = parse_decisions(written(decisions))
    assert rows == [{name: getattr(made, name) for name in COLUMNS} for made in decisions]


@given(st.lists(DECISION, max_size=6))
@settings(deadline=None, max_examples=15)
def test_through_two_stores_and_twice(tmp_path_factory: pytest.TempPathFactory, decisions: list[Decision]) -> None:
    folder = tmp_path_factory.mktemp("stores")
    first, second = (DecisionStore(f"sqlite:///{folder / name}.db") for name in ("one", "two"))
    told = import_decisions(first, parse_decisions(written(decisions)), "test")
    assert told.added + told.known == len(decisions)
    exported = written(list(first.decisions()))
    assert import_decisions(second, parse_decisions(exported), "test").added == told.added
    assert import_decisions(second, parse_decisions(exported), "test").added == 0
    assert written(list(second.decisions())) == exported
    first.close()
    second.close()


def test_a_decision_taken_back_elsewhere_is_taken_back_here(tmp_path: Path) -> None:
    store = DecisionStore(f"sqlite:///{tmp_path / 'd.db'}")
    text = f"{HEADER},withdrawn_at\n{GOOD},"
    assert import_decisions(store, parse_decisions(text), "test").added == 1
    assert import_decisions(store, parse_decisions(text + "2026-02-01"), "test").withdrawn == 1
    assert import_decisions(store, parse_decisions(text + "2026-02-02"), "test").withdrawn == 0
    assert [made.withdrawn_at for made in store.decisions()] == [datetime(2026, 2, 1, tzinfo=UTC)]
    store.close()


def test_what_a_file_may_leave_out() -> None:
    rows = parse_decisions(
        f"object,salesforce_id,reference_id,judgement\n\naccount,{A[:15]},c1,unsure\n", decided_by="ann", now=NOW
    )
    assert rows == [
        {
            "object": "account",
            "salesforce_id": A,
            "reference_id": "c1",
            "judgement": "unsure",
            "reason": None,
            "decided_by": "ann",
            "decided_at": NOW,
            "expires_at": None,
            "withdrawn_at": None,
        }
    ]
    assert parse_decisions(HEADER) == []
    assert parse_decisions(f"{HEADER}\n{GOOD}")[0]["decided_at"] == NOW - timedelta(days=59) + timedelta(hours=9)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ["line 1", "'object'"]),
        ("object,salesforce,reference_id,judgement", ["line 1", "'salesforce'", "'salesforce_id'"]),
        ("object,salesforce_id,reference_id", ["line 1", "'judgement' is missing"]),
        (f"{HEADER},object", ["line 1", "'object' is there twice"]),
        (
            f"{HEADER}\n{GOOD}\naccount,{A},c1,yes,ann,",
            ["line 3, column judgement: 'yes'", "positive, negative, unsure"],
        ),
        (f"{HEADER}\nAccount,{A},c1,positive,ann,", ["line 2, column object: 'Account'"]),
        (f"{HEADER}\naccount,0010,c1,positive,ann,", ["line 2, column salesforce_id: '0010'"]),
        (f"{HEADER}\naccount,{'001aBC000000001'.upper()}AAA,c1,positive,ann,", ["line 2", "lost its upper and lower"]),
        (f"{HEADER}\naccount,{A},,positive,ann,", ["line 2, column reference_id: empty"]),
        (f"{HEADER}\naccount,{A},c1,positive,,", ["line 2, column decided_by: empty"]),
        (f"{HEADER}\naccount,{A},c1,positive,ann,01/02/2026", ["line 2, column decided_at: '01/02/2026'"]),
        (f"{HEADER}\naccount,{A},c1,positive,ann,,x", ["line 2", "1 values more"]),
        (f"{HEADER}\naccount,{A},c1", ["line 2", "3 values fewer"]),
        (f'{HEADER}\naccount,{A},"c\n1",positive,ann,\naccount,{A},c1,no,ann,', ["line 4, column judgement: 'no'"]),
        (f'{HEADER}\naccount,{A},"c1,positive', ["line 2", "unexpected end of data"]),
    ],
)
def test_a_fault_is_told_by_line_column_and_value(text: str, told: list[str]) -> None:
    with pytest.raises(DecisionFileError) as caught:
        parse_decisions(text, "d.csv", now=NOW)
    for part in ("d.csv", *told):
        assert part in str(caught.value)


def test_only_the_first_faults_are_listed() -> None:
    with pytest.raises(DecisionFileError) as caught:
        parse_decisions(HEADER + f"\naccount,{A},c1,no,ann," * 50)
    assert "50 faults" in str(caught.value)
    assert "and 30 more" in str(caught.value)


def test_a_file_of_another_encoding_or_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_bytes(f"{HEADER}\n{GOOD}\n".encode() + b"account,\xe9")
    with pytest.raises(DecisionFileError, match="line 3: not UTF-8"):
        read_decisions(path)
    path.write_text("\ufeff" + f"{HEADER}\n{GOOD}\n", encoding="utf-8")
    assert len(read_decisions(path)) == 1
    with pytest.raises(DecisionFileError, match="No such file"):
        read_decisions(tmp_path / "none.csv")
