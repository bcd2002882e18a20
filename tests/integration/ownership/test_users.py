"""The user mapping on hand-made tables: found by e-mail and name, kept, corrected, completed."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from data_contracts.contracts import load_contract
from data_contracts.errors import CrosswalkError, ReferenceDataError
from data_contracts.settings import Settings
from pipelines.ownership import build_users, load_own_users
from pipelines.publish.invariants import check_invariants
from resources.decisions import DecisionStore
from resources.user_mappings import correct, mapping_versions, mappings_in_force
from tests.support.org_tables import fetch, put_salesforce, run_context, warehouse

OWN = 'user_id,name,email\nu1,Una Eide,una@x.test\nu2,Bo Li,BO@x.test\nu3,"Muñoz, José",jm@x.test\n'


def uid(number: int) -> str:
    """A user's Id."""
    return f"005{number:012d}AAA"


def user(number: int, name: str, email: str | None = None, **more: Any) -> dict[str, Any]:
    """A CRM user."""
    return {"Id": uid(number), "Name": name, "Email": email, "IsActive": True, "UserType": "Standard"} | more


class House:
    """A warehouse, a store and the file of own users; ``run`` does what a run does."""

    def __init__(self, con: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self.con, self.folder, self.days = con, folder, 0
        self.store = DecisionStore(f"sqlite:///{folder / 'decisions.db'}")
        self.settings: dict[str, Any] = {"source": {"path": "users.csv"}}

    def run(self, users: Sequence[dict[str, Any]], own: str = OWN) -> dict[str, tuple[Any, ...]]:
        """Return CRM user → how it stands: status, own user, method, whether a person is needed, candidates."""
        self.days += 1
        (self.folder / "users.csv").write_text(own)
        put_salesforce(self.con, "user", users, ("Name", "Email", "IsActive", "UserType"))
        settings = Settings.model_validate({"users": self.settings})
        load_own_users(self.con, settings.users, self.folder)
        build_users(self.con, self.store, settings, run_context(f"run-{self.days}", day=self.days))
        check_invariants(self.con, load_contract("ownership.user")).raise_if_blocked()
        rows = fetch(
            self.con,
            "SELECT salesforce_id, status, mapped_user, method, needs_person, candidates FROM ownership.user",
        )
        return {row[0]: row[1:] for row in rows}

    def reason(self, number: int) -> str:
        query = f"SELECT reason FROM ownership.user WHERE salesforce_id = '{uid(number)}'"
        return str(fetch(self.con, query)[0][0])


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with warehouse(tmp_path) as con:
        made = House(con, tmp_path)
        yield made
        made.store.close()


def test_by_email_then_by_full_name(house: House):
    found = house.run(
        [
            user(1, "Somebody Else", "Una@X.test.invalid"),  # a sandbox's address
            user(2, "Bo Li", "bo@x.test"),
            user(3, "jose  MUNOZ", "old@y.test"),
            user(4, "Nobody Known", "n@y.test"),
        ]
    )
    assert found == {
        uid(1): ("mapped", "u1", "email", False, ["u1"]),
        uid(2): ("mapped", "u2", "email", False, ["u2"]),
        uid(3): ("mapped", "u3", "full_name", False, ["u3"]),
        uid(4): ("none", None, None, True, []),
    }
    assert house.reason(4) == "no own user has its e-mail address or full name"


def test_several_matches_wait_for_a_person(house: House):
    twins = "user_id,name,email\na,Ann Ito,ann@x.test\nb,Ann Ito,b@x.test\nc,Al Fo,al@x.test\nd,Al Foo,al@x.test\n"
    found = house.run(
        [
            user(1, "Ann Ito", "other@x.test"),  # two of that name
            user(2, "Al Fo", "al@x.test"),  # two of that address, and the name does not decide
            user(3, "Ann Ito", "b@x.test"),  # the address decides
        ],
        twins,
    )
    assert found[uid(1)] == ("several", None, None, True, ["a", "b"])
    assert found[uid(2)] == ("several", None, None, True, ["c", "d"])
    assert found[uid(3)] == ("mapped", "b", "email", False, ["b"])
    assert house.reason(2) == "2 own users have its e-mail address"


def test_a_name_that_two_crm_users_have_makes_neither_of_them_the_one(house: House):
    both = [user(1, "Una Eide", "a@y.test"), user(2, "Una Eide", "b@y.test")]
    assert {row[:2] for row in house.run(both).values()} == {("several", None)}
    assert "another CRM user" in house.reason(1)
    # Where the address has settled it for one, the name does not add a second.
    assert house.run([user(1, "Una Eide", "a@y.test"), user(3, "U. E.", "una@x.test")])[uid(1)][0] == "several"


def test_what_was_found_is_kept_with_author_and_time_and_completed_when_a_user_appears(house: House):
    house.run([user(1, "Una Eide", "una@x.test")])
    # Address and name change: the mapping stays. Another user appears: it is completed.
    found = house.run([user(1, "Una Berg", "berg@x.test"), user(2, "Bo Li", "bo@x.test")])
    assert found[uid(1)][:4] == ("mapped", "u1", "email", False)
    assert found[uid(2)][:2] == ("mapped", "u2")
    versions = [
        (m.salesforce_id, m.version, m.act, m.decided_by, m.decided_at.day) for m in mappings_in_force(house.store)
    ]
    assert versions == [(uid(1), 1, "matched", "crosswalk", 1), (uid(2), 1, "matched", "crosswalk", 2)]
    # Its address is now another own user's: it stays, and a person is asked.
    assert house.run([user(1, "Una Berg", "jm@x.test")])[uid(1)][:4] == ("mapped", "u1", "email", True)
    assert "another own user" in house.reason(1)


def test_people_correct_unmap_and_release(house: House):
    users = [user(1, "Una Eide", "una@x.test")]
    house.run(users)
    correct(house.store, uid(1), "mapped", own_id="u2", user="ann", reason="married name")
    assert house.run(users)[uid(1)][:4] == ("mapped", "u2", "person", False)
    assert house.reason(1).startswith("ann said so on ")
    assert house.reason(1).endswith(": married name")
    correct(house.store, uid(1), "unmapped", user="ann", seen=2)
    assert house.run(users)[uid(1)][:4] == ("unmapped", None, None, False)
    with pytest.raises(CrosswalkError, match="has changed meanwhile: by ann"):
        correct(house.store, uid(1), "mapped", own_id="u3", user="bo", seen=2)
    correct(house.store, uid(1), "released", user="ann", seen=3)
    assert house.run(users)[uid(1)][:4] == ("mapped", "u1", "email", False)
    acts = [(made.version, made.act, made.own_id, made.decided_by) for made in mapping_versions(house.store, uid(1))]
    assert acts == [
        (1, "matched", "u1", "crosswalk"),
        (2, "mapped", "u2", "ann"),
        (3, "unmapped", None, "ann"),
        (4, "released", None, "ann"),
        (5, "matched", "u1", "crosswalk"),
    ]


def test_an_own_user_that_is_gone_is_asked_about_and_comes_back(house: House):
    users = [user(1, "Una Eide", "una@x.test"), user(2, "B", "b@y.test")]
    house.run(users)
    correct(house.store, uid(2), "mapped", own_id="u2", user="ann")
    only = "user_id,name,email\nu9,Nils Ek,n@x.test\n"
    found = house.run(users, only)
    assert found == {uid(1): ("gone", None, None, True, []), uid(2): ("gone", None, None, True, [])}
    assert house.run(users)[uid(1)][:2] == ("mapped", "u1")
    # What was found is found again where the same person has a new id; what a person said is not overruled.
    found = house.run(users, "user_id,name,email\nnew1,Una Eide,una@x.test\nnew2,Bo,b@y.test\n")
    assert found[uid(1)][:3] == ("mapped", "new1", "email")
    assert found[uid(2)][:2] == ("gone", None)
    assert mapping_versions(house.store, uid(1))[-1].reason == "u1 is no longer among the own users"


def test_queues_system_portal_and_inactive_users_are_named_as_such(house: House):
    queue, unnamed, unknown = (f"00G{n:012d}AAA" for n in (1, 2, 3))
    unknown = uid(99)
    put_salesforce(
        house.con, "group", [{"Id": queue, "Name": "West desk", "Type": "Queue"}, {"Id": "00Gx", "Type": "Role"}]
    )
    owners = (queue, unnamed, unknown, uid(4), uid(4))
    put_salesforce(house.con, "lead", [{"Id": f"L{n}", "OwnerId": owner} for n, owner in enumerate(owners)])
    found = house.run(
        [
            user(1, "Automated Process", "una@x.test", UserType="AutomatedProcess"),
            user(2, "Pat Partner", None, UserType="PowerPartner"),
            user(3, "Long Gone", IsActive=False),
            user(4, "Gone But Owning", IsActive=False),
            user(5, "Una Eide", "una@x.test", IsActive=False),
        ]
    )
    kinds = dict(fetch(house.con, "SELECT salesforce_id, kind FROM ownership.user"))
    names = dict(fetch(house.con, "SELECT salesforce_id, name FROM ownership.user"))
    assert (kinds[queue], names[queue]) == ("queue", "West desk")
    assert (kinds[unnamed], names[unnamed]) == ("queue", f"Queue {unnamed}")
    told = dict(fetch(house.con, "SELECT salesforce_id, reason FROM ownership.user WHERE kind = 'queue'"))
    assert told == {queue: "a queue", unnamed: "a queue; object group in the settings brings its name"}
    assert [kinds[key] for key in (unknown, uid(1), uid(2), uid(3))] == ["unknown", "system", "portal", "user"]
    assert {found[key][0] for key in (queue, unnamed, unknown, uid(1), uid(2))} == {"not_a_person"}
    # Who may no longer sign in and owns nothing need not be asked about.
    assert (found[uid(3)][:4], found[uid(4)][:4]) == (("none", None, None, False), ("none", None, None, True))
    assert house.reason(4).endswith("; inactive in Salesforce")
    assert found[uid(5)][:2] == ("mapped", "u1")
    assert "00Gx" not in found


def test_the_settings_come_before_everything_and_need_no_source(house: House):
    house.settings = {"by_hand": {uid(1)[:15]: "una"}}
    correct(house.store, uid(1), "mapped", own_id="u2", user="ann")
    found = house.run([user(1, "Una Eide", "una@x.test"), user(2, "Bo Li", "bo@x.test")])
    assert found[uid(1)][:4] == ("mapped", "una", "settings", False)
    assert found[uid(2)][:4] == ("not_configured", None, None, False)
    assert fetch(house.con, "SELECT count(*) FROM ownership.own_user") == [(0,)]


def test_own_users_may_stand_in_the_settings(house: House):
    house.settings = {"table": [{"user_id": "7", "name": "Una Eide", "active": False}]}
    assert house.run([user(1, "Una Eide")])[uid(1)][:3] == ("mapped", "7", "full_name")
    assert fetch(house.con, "SELECT mapped_user_is_active FROM ownership.user") == [(False,)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("login,name\nu1,Una\n", "has no column user_id"),
        ("user_id,role\nu1,x\n", "has no name and no e-mail address"),
        ("user_id,name\nu1,Una\nu1,Bo\n", "1 ids on more than one row, for example u1"),
        ("user_id,name\n,Una\n", "has no user_id in 1 of 1 rows"),
        ("user_id,name\n", "holds no rows"),
        ("", "is empty"),
    ],
)
def test_a_source_that_is_unfit_is_refused_and_the_table_stays(house: House, text: str, message: str):
    house.run([])
    with pytest.raises(ReferenceDataError, match=message) as refused:
        house.run([], text)
    assert "reference" not in str(refused.value)
    assert fetch(house.con, "SELECT count(*) FROM ownership.own_user") == [(3,)]
