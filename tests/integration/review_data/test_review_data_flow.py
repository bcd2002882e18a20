"""From the queue to the next run: pending, replayed, returned with both versions, vanished, created, undone."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_contracts.contracts import load_contract
from data_contracts.settings import Publish
from pipelines.publish.invariants import check_invariants
from pipelines.review import (
    Decided,
    Filters,
    PairKey,
    ReviewError,
    Stale,
    Version,
    create_missing,
    decide,
    duplicate_records,
    duplicates,
    history,
    last_decision,
    pair,
    proposal,
    proposals,
    queue,
    reject_proposal,
    search,
    shadow,
    undo,
)
from tests.support.org_tables import warehouse
from tests.support.review_home import ACCOUNTS, COMPANIES, OPPORTUNITIES, ReviewHome, Row, aid, review_home

TWIN = PairKey("account", aid(3), "c3")


@pytest.fixture(scope="module")
def after_one_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after its first run; nobody has it open."""
    folder = tmp_path_factory.mktemp("review")
    with review_home(folder) as found:
        found.load(company=COMPANIES, account=ACCOUNTS, opportunity=OPPORTUNITIES)
        found.run()
    return folder


@pytest.fixture
def home(after_one_run: Path, tmp_path: Path) -> Iterator[ReviewHome]:
    """A copy of it for each test."""
    shutil.copytree(after_one_run, tmp_path / "home")
    with review_home(tmp_path / "home") as found:
        found.runs = 1
        yield found


def accounts(**changed: Row) -> list[Row]:
    """The accounts, those named by number (``a3``) with other values."""
    return [row | changed.get(f"a{number}", {}) for number, row in enumerate(ACCOUNTS, start=1)]


def status(home: ReviewHome, number: int) -> tuple[str, str | None, str | None, str]:
    found = home.ask(
        f"SELECT status, reference_id, method, reason FROM crosswalk.account WHERE salesforce_id = '{aid(number)}'"
    )
    return found[0]


def judge(home: ReviewHome, key: PairKey, judgement: str, user: str = "ann") -> Decided:
    with home.snapshot.connect() as con:
        version = pair(con, home.store, key).version
        made = decide(con, home.store, user, key, judgement, "seen", version)  # type: ignore[arg-type]
    assert isinstance(made, Decided)
    return made


def sound(home: ReviewHome) -> None:
    """The contracts of what the resolver wrote hold."""
    with warehouse(home.home.root) as con:
        for name in ("crosswalk.account", "match.account_candidate"):
            assert check_invariants(con, load_contract(name)).passed, name


def test_a_decision_is_pending_then_replayed_and_comes_back_with_both_versions(home: ReviewHome) -> None:
    with home.snapshot.connect() as con:
        page = queue(con, home.store)
        assert [(row.salesforce_id, row.worth, row.currency) for row in page.rows] == [
            (aid(4), 750.0, "EUR"),
            (aid(3), 0.0, None),
        ], "open opportunities first"
        seen = pair(con, home.store, TWIN)
        assert {c.reference_id for c in seen.candidates} == {"c3", "c4"}
        assert all(c.block_keys for c in seen.candidates)
        city = next(field for field in seen.raw if field.name == "city")
        assert (city.record, city.entity, city.differs) == ("Salem", "Salem", False)
        made = decide(con, home.store, "ann", TWIN, "positive", "same street", seen.version)
        assert isinstance(made, Decided)
        late = decide(con, home.store, "bo", TWIN, "negative", None, seen.version)
        assert isinstance(late, Stale)
        assert (late.who, late.judgement, late.reference_id) == ("ann", "positive", "c3")
        assert late.when is not None
        assert abs((late.when - made.decision.decided_at).total_seconds()) < 5
        assert [row.salesforce_id for row in queue(con, home.store).rows] == [aid(4)]
        waiting = queue(con, home.store, Filters(pending=True)).rows
        assert [(row.salesforce_id, row.pending and row.pending.decided_by) for row in waiting] == [(aid(3), "ann")]
    assert status(home, 3)[0] == "in_review", "until the next run"
    home.run()
    assert status(home, 3)[:3] == ("linked", "c3", "person")
    with home.snapshot.connect() as con:
        assert queue(con, home.store, Filters(pending=True)).total == 0
        assert any(event.what == "link" for event in history(con, home.store, "account", aid(3)))
    # Another spelling of the same value asks nobody again, another value does.
    home.load(account=accounts(a3={"Name": "TWIN PEAKS  Coffee", "OwnerId": "005Z"}))
    home.run()
    assert status(home, 3)[:3] == ("linked", "c3", "person")
    home.load(account=accounts(a3={"Name": "Twin Peaks Tea", "BillingCity": "Salem"}))
    home.run()
    what, entity, _, reason = status(home, 3)
    assert (what, entity) == ("in_review", "c3")
    assert "ann accepted c3" in reason
    assert "evidence has changed" in reason
    sound(home)
    with home.snapshot.connect() as con:
        assert [row.waiting for row in queue(con, home.store).rows if row.salesforce_id == aid(3)] == ["returned"]
        again = pair(con, home.store, TWIN)
        changes = {(c.side, c.name): (c.before, c.now) for c in again.changed_evidence}
        assert changes["record", "name"] == ("Twin Peaks Coffee", "Twin Peaks Tea")
        assert changes["record", "name_clean"] == ("twin peaks coffee", "twin peaks tea")
        assert not isinstance(decide(con, home.store, "ann", TWIN, "positive", None, again.version), Stale)
    home.run()
    assert status(home, 3)[:3] == ("linked", "c3", "person")


def test_a_rejected_pair_whose_evidence_changed_is_asked_about_and_never_linked_unasked(home: ReviewHome) -> None:
    key = PairKey("account", aid(1), "c1")
    judge(home, key, "negative")
    home.run()
    assert status(home, 1)[:2] != ("linked", "c1")
    moved = [row | ({"city": "Chicago"} if row["company_id"] == "c1" else {}) for row in COMPANIES]
    home.load(company=moved)
    home.run()
    what, entity, _, reason = status(home, 1)
    assert (what, entity) == ("in_review", "c1")
    assert "ann rejected this entity, but the evidence has changed since (company: city_clean)" in reason
    sound(home)


def test_an_accepted_entity_that_vanished_is_told_and_listed(home: ReviewHome) -> None:
    judge(home, TWIN, "positive")
    judge(home, PairKey("account", aid(5), "c5"), "positive")
    home.run()
    assert status(home, 5)[:2] == ("linked", "c5")
    home.load(company=[row for row in COMPANIES if row["company_id"] not in ("c3", "c5")])
    home.run()
    what, entity, _, reason = status(home, 3)
    assert (what, entity) == ("in_review", "c4"), "the other of the two would be linked now, were nobody asked"
    assert "ann accepted c3" in reason
    assert "no longer in the reference" in reason
    what, entity, _, reason = status(home, 5)
    assert (what, entity) == ("unmatched", None)
    assert reason.startswith("ann accepted c5")
    sound(home)
    with home.snapshot.connect() as con:
        listed = {
            row.salesforce_id: row.reference_id for row in queue(con, home.store, Filters(waiting="vanished")).rows
        }
        assert listed == {aid(3): "c4", aid(5): None}
        gone = pair(con, home.store, TWIN)
        assert not gone.entity_is_there
        with pytest.raises(ReviewError, match="no company c3"):
            decide(con, home.store, "bo", TWIN, "positive", None, Version(gone.version.acts))
        assert isinstance(decide(con, home.store, "bo", TWIN, "negative", "closed", gone.version), Decided)
    home.run()
    assert status(home, 3)[:2] == ("linked", "c4")


def test_create_missing_makes_an_entity_links_it_and_can_be_undone(home: ReviewHome) -> None:
    number = aid(5)
    with home.snapshot.connect() as con:
        assert [one.salesforce_id for one in proposals(con, home.store)[0]] == [number]
        wanted, version = proposal(con, home.store, "account", number)
        assert (wanted.values["name"], wanted.values["website"]) == ("Unrelated Bakery", "bakery.example")
        with pytest.raises(ReviewError, match="colour is no column"):
            create_missing(con, home.store, "ann", "account", number, version, values={"colour": "red"})
        with pytest.raises(ReviewError, match="cannot be created"):
            proposal(con, home.store, "account", aid(1))
        made = create_missing(con, home.store, "ann", "account", number, version, values={"city": " Paris "})
        assert isinstance(made, Decided)
        assert isinstance(reject_proposal(con, home.store, "bo", "account", number, version), Stale)
        assert proposals(con, home.store)[0] == ()
    home.run()
    created = made.decision.reference_id
    assert status(home, 5)[:3] == ("linked", created, "person")
    assert home.ask("SELECT company_id, name, city, origin FROM reference.company WHERE origin <> 'source'") == [
        (created, "Unrelated Bakery", "Paris", "created")
    ]
    assert home.ask("SELECT status, reference_id, decided_by FROM imports.creation_proposal") == [
        ("accepted", created, "ann")
    ]
    with home.snapshot.connect() as con:
        assert [hit.origin for hit in search(con, "company", "unrelated").hits] == ["created"]
    home.run()
    assert status(home, 5)[:2] == ("linked", created), "also in the run after that"
    decision = last_decision(home.store, "ann")
    assert decision is not None
    assert isinstance(undo(home.store, "ann", decision), Decided)
    home.run()
    assert status(home, 5)[0] == "unmatched"
    assert home.ask("SELECT count(*) FROM reference.company WHERE origin = 'created'") == [(0,)]
    assert home.ask("SELECT status FROM imports.creation_proposal") == [("proposed",)]


def test_a_rejected_proposal_is_not_proposed_again(home: ReviewHome) -> None:
    with home.snapshot.connect() as con:
        _, version = proposal(con, home.store, "account", aid(5))
        assert reject_proposal(con, home.store, "ann", "account", aid(5), version, reason="a test record") is None
        assert proposals(con, home.store)[0] == ()
    home.run()
    assert home.ask("SELECT status, decided_by FROM imports.creation_proposal") == [("rejected", "ann")]
    with home.snapshot.connect() as con:
        assert proposals(con, home.store)[0] == ()


def test_evidence_is_pinned_by_the_run_for_decisions_that_came_without(home: ReviewHome) -> None:
    home.store.record("account", aid(3), "c4", "positive", decided_by="import")
    home.run()
    assert home.store.decisions("account", aid(3))[0].evidence
    assert status(home, 3)[:2] == ("linked", "c4")
    home.load(account=accounts(a3={"Name": "Quite Another Name"}))
    home.run()
    assert status(home, 3)[:2] == ("in_review", "c4")


def test_masked_values_are_no_evidence(home: ReviewHome) -> None:
    home.load(account=accounts(), contact=[])
    home.run(Publish(keep=0, mask_personal=True))
    made = judge(home, TWIN, "positive")
    assert made.decision.evidence is None
    home.run(Publish(keep=0, mask_personal=True))
    assert status(home, 3)[:2] == ("linked", "c3"), "its evidence is pinned from the warehouse"
    home.run(Publish(keep=0, mask_personal=True))
    assert status(home, 3)[:2] == ("linked", "c3")


def test_duplicates_and_the_orgs_own_match_beside_ours(home: ReviewHome) -> None:
    theirs = ["c1", "c5", "c4", "gone", None, "C1"]
    home.load(account=[row | {"Match__c": match} for row, match in zip(ACCOUNTS, theirs, strict=True)])
    home.run()
    with home.snapshot.connect() as con:
        groups, more = duplicates(con, "account")
        assert [(g.reference_id, g.records) for g in groups] == [("c1", 2)]
        assert more is None
        side_by_side = duplicate_records(con, "account", "c1")
        assert set(side_by_side.salesforce_ids) == {aid(1), aid(6)}
        assert {name: differ for name, _, differ in side_by_side.values}["name"]
        with pytest.raises(ReviewError, match="fewer than two"):
            duplicate_records(con, "account", "c2")
        found = shadow(con, "account", "Match__c")
        assert (found.agree, found.other, found.only_theirs, found.unknown, found.neither) == (2, 1, 1, 1, 1)
        listed, key = [], None
        while True:
            page = shadow(con, "account", "Match__c", key, 1)
            listed += [(row.salesforce_id, row.verdict) for row in page.rows]
            if (key := page.next_key) is None:
                break
        assert listed == [(aid(2), "other"), (aid(3), "only_theirs"), (aid(4), "unknown")]
        with pytest.raises(ReviewError, match="Match__c"):
            shadow(con, "account", "Macth__c")


@pytest.mark.parametrize("text", ["' OR 1=1 --", "hooli'; DROP TABLE x; --", "%", "_", "\\", "$w0 {kind}", "", "  "])
def test_nothing_typed_into_the_search_is_read_as_sql(home: ReviewHome, text: str) -> None:
    with home.snapshot.connect() as con:
        hits = search(con, "company", text).hits
        assert len(hits) <= 2, "only what bears the word hooli"
        assert [hit.reference_id for hit in search(con, "company", "HOOLI").hits] == ["c5", "c6"]
        assert [hit.reference_id for hit in search(con, "company", "https://www.acme.example/x").hits] == ["c1"]
        assert [hit.reference_id for hit in search(con, "company", "coffee peaks gmbh").hits] == ["c3", "c4"]
        assert search(con, "company", "twin", limit=1).cut


def test_unknown_pairs_and_forged_versions_are_refused(home: ReviewHome) -> None:
    with home.snapshot.connect() as con:
        version = pair(con, home.store, TWIN).version
        with pytest.raises(ReviewError, match="no account 001X"):
            pair(con, home.store, PairKey("account", "001X", "c1"))
        with pytest.raises(ReviewError, match="no company c99"):
            decide(con, home.store, "ann", PairKey("account", aid(3), "c99"), "positive", None, Version(0))
        told = decide(con, home.store, "ann", TWIN, "positive", None, Version(version.acts, "0" * 64))
        assert isinstance(told, Stale)
        assert told.who is None
        for text in ("", "x", "1.!", "-1.a", "1." + "a" * 65):
            with pytest.raises(ReviewError):
                Version.parse(text)
        assert Version.parse(str(version)) == version
    assert home.store.decisions() == ()
