"""Any order of schema changes, record changes and runs: what is current is the org's, and no history is lost."""

import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.support.demo_org_client import Scripted
from tests.support.mirror import Mirror

OBJECT = "Site__c"
TYPES: dict[str, tuple[str, dict[str, Any]]] = {
    "text": ("string", {"length": 40}),
    "number": ("double", {"precision": 18, "scale": 2}),
    "amount": ("currency", {"precision": 18, "scale": 0}),
    "day": ("date", {}),
}
#: Of each type, the end of the name under which its values are kept, and the type of that column.
KEPT = {
    "text": ("varchar", "VARCHAR"),
    "number": ("decimal_18_2", "DECIMAL(18,2)"),
    "amount": ("decimal_18_0", "DECIMAL(18,0)"),
    "day": ("date", "DATE"),
}
NAMES = ("A__c", "B__c", "C__c")


class Org:
    """The object of the demo org with what a person may do to it, and what its visible fields hold now."""

    def __init__(self, scripted: Scripted, chance: random.Random) -> None:
        self._scripted, self._chance = scripted, chance
        self.fields: dict[str, str] = {}
        self.hidden: set[str] = set()
        self.ids = [self.do("create", values={"Name": f"Site {number}"}) for number in range(4)]

    def do(self, what: str, **more: Any) -> Any:
        answer = self._scripted.client("POST", "/__demo__/execute", json={"do": what, "object": OBJECT, **more})
        assert answer.status_code == 200, (what, more, answer.text)
        return answer.json()["result"]

    def change(self) -> str:
        """Do one thing; return what."""
        name, kind = self._chance.choice(NAMES), self._chance.choice(sorted(TYPES))
        if name not in self.fields:
            self._add(name, kind)
        elif (what := self._chance.choice(["remove", "retype", "hide", "show", "values", "values"])) == "remove":
            self.remove(name)
        elif what == "retype":
            self.remove(name)
            self._add(name, kind)
        elif what in ("hide", "show"):
            self.do("set_field_permission", field=f"{OBJECT}.{name}", read=what == "show", edit=False)
            (self.hidden.add if what == "hide" else self.hidden.discard)(name)
        else:
            self._fill(name, stamp=True)
        return f"{name} is {self.fields.get(name)}, hidden {sorted(self.hidden)}"

    def _add(self, name: str, kind: str) -> None:
        self.do("add_field", name=name, type=TYPES[kind][0], **TYPES[kind][1])
        self.fields[name] = kind
        self._fill(name, stamp=False)

    def remove(self, name: str) -> None:
        self.do("remove_field", name=name)
        del self.fields[name]
        self.hidden.discard(name)

    def _fill(self, name: str, *, stamp: bool) -> None:
        for one in self.ids:
            values: dict[str, Any] = {
                "text": self._chance.choice([None, "word", "07", "2024-01-05"]),
                "number": self._chance.choice([None, 1.25, 7]),
                "amount": self._chance.choice([None, 3, 12345678]),
                "day": self._chance.choice([None, "2024-02-29", "2001-01-01"]),
            }
            self.do("update_where", where=f"Id = '{one}'", values={name: values[self.fields[name]]}, stamp=stamp)

    def column(self, name: str) -> dict[str, Any]:
        """The values of a visible field as DuckDB should have them."""
        records = self._scripted.client.query(f"SELECT Id, {name} FROM {OBJECT}")["records"]
        kind = self.fields[name]

        def typed(value: Any) -> Any:
            if value is None or kind == "text":
                return value
            return date.fromisoformat(value) if kind == "day" else Decimal(str(value))

        return {record["Id"]: typed(record[name]) for record in records}


def stored(m: Mirror, name: str) -> dict[str, Any]:
    return dict(m.rows(f'SELECT "Id", "{name}" FROM salesforce.site__c'))


def columns(m: Mirror) -> dict[str, str]:
    found = "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'site__c'"
    return dict(m.rows(found))


@pytest.mark.parametrize("seed", [2, 3])
def test_what_is_current_is_the_orgs_and_no_history_is_lost(
    seed: int, mirror: Callable[..., Mirror], scripted: Scripted
) -> None:
    chance = random.Random(seed)
    org, m = Org(scripted, chance), mirror(OBJECT)
    m.sync("full")
    read: dict[str, tuple[str, dict[str, Any]]] = {}
    done: list[str] = []
    for _ in range(6):
        for _ in range(chance.randrange(1, 4)):
            done.append(org.change())
            if chance.random() < 0.4:
                # A run that has described the org and is killed: what it noted must not be forgotten.
                m.submit("delta")
                done.append("described")
        scripted.client("POST", "/__demo__/settings", json={"clock": {"advance_seconds": 900}})
        result = m.sync(chance.choice(["delta", "delta", "full"]))[OBJECT]
        assert (result.difference, result.rejected) == (0, 0), done
        visible = {name: kind for name, kind in org.fields.items() if name not in org.hidden}
        for name, kind in visible.items():
            truth = org.column(name)
            assert {one: value for one, value in stored(m, name).items() if one in truth} == truth, (name, done)
            before = read.get(name)
            if before and before[0] != kind:
                assert _kept_or_exact(m, name, before), (name, before, columns(m), done)
            read[name] = (kind, truth)
        for name, (_, seen) in read.items():
            if name not in visible:
                held = stored(m, name) if name in columns(m) else {}
                assert {one: held.get(one) for one in seen} == seen, (name, "lost what it held", done)
        gone = {row[0] for row in m.rows("SELECT field_name FROM salesforce.field WHERE gone_at IS NOT NULL")}
        assert gone == {name for name in read if name not in visible} | (gone - set(NAMES)), done
    for name in list(org.fields):
        org.remove(name)


def _kept_or_exact(m: Mirror, name: str, before: tuple[str, dict[str, Any]]) -> bool:
    """Whether values of the type before are in a column aside, unless the new type can hold each of them exactly."""
    kind, seen = before
    aside = KEPT[kind][0]
    if f"{name}__{aside}" in columns(m):
        held = stored(m, f"{name}__{aside}")
        return all(value is None or held.get(one) == value for one, value in seen.items())
    now, old = columns(m)[name], KEPT[kind][1]
    values = [value for value in seen.values() if value is not None]
    exact = f"SELECT TRY_CAST(TRY_CAST(?::{old} AS {now}) AS {old}) IS NOT DISTINCT FROM ?::{old}"
    return all(m.one(exact, value, value) for value in values)
