"""Accounts, contacts and leads in one world: a small change gives what a whole run gives, decisions and all.

Random changes of every table, merges and judgements with the evidence they were made on; then the two that are easily
overlooked: the evidence under a judgement changes, and of all there is only an accepted entity vanishes.
"""

import random
from pathlib import Path
from typing import Any

import duckdb
import pytest

from data_contracts.contracts import load_contract
from data_contracts.settings import Settings
from pipelines.resolve import hopeless, resolve
from pipelines.resolve.decisions import EVIDENCE_DDL
from pipelines.resolve.evidence import evidence_of_pair
from pipelines.standardize import TABLES, standardize
from tests.integration.resolve.test_incremental import forget
from tests.support.resolution import connect, put, run_context

OBJECTS: tuple[Any, ...] = ("account", "contact", "lead")
WORDS = ("acme", "globex", "initech", "twin peaks", "north harbor", "lion stone")
FIRST, LAST = ("anna", "robert", "bob", "maria", "li"), ("stone", "rivers", "lindqvist", "obuya", "stones")
#: Table → its key, the letter its keys begin with, and how many rows it starts with.
SHAPES = {
    "salesforce.account": ("Id", "A", 8),
    "salesforce.contact": ("Id", "K", 12),
    "salesforce.lead": ("Id", "L", 9),
    "reference.company": ("company_id", "c", 9),
    "reference.person": ("person_id", "p", 16),
}
ENTITIES = {"account": "reference.company", "contact": "reference.person", "lead": "reference.person"}


class World:
    def __init__(self, con: duckdb.DuckDBPyConnection, folder: Path, seed: int) -> None:
        self.con, self.folder, self.draw, self.runs = con, folder, random.Random(seed), 0
        self.tables: dict[str, dict[str, dict[str, Any]]] = {}
        for table, (_, letter, size) in SHAPES.items():
            keys = [self.key(letter, i) for i in range(size)]
            self.tables[table] = {key: {} for key in keys}
            self.tables[table] = {key: self.row(table) for key in keys}
        self.decisions: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.evidence: list[list[Any]] = []

    @staticmethod
    def key(letter: str, i: int) -> str:
        return f"{letter}{i:02d}".ljust(18, "0") if letter.isupper() else f"{letter}{i:02d}"

    def row(self, table: str) -> dict[str, Any]:
        one = self.draw.choice
        name, site = one(WORDS), one([None, *(f"{word.split()[0]}.com" for word in WORDS[:4])])
        phone = one([None, *(f"310246150{digit}" for digit in range(5))])
        if table == "salesforce.account":
            return {"Name": name, "Website": site, "Phone": phone, "MasterRecordId": None}
        if table == "reference.company":
            return {"name": name, "website": site, "phone": phone}
        first, last = one(FIRST), one(LAST)
        email = one([None, f"{first}.{last}@{site or 'globex.com'}"])
        if table == "reference.person":
            company = one([None, *self.tables["reference.company"]])
            return {"first_name": first, "last_name": last, "email": email, "phone": phone, "company_id": company}
        person = {"FirstName": first, "LastName": last, "Email": email, "Phone": phone}
        if table == "salesforce.lead":
            return person | {"Company": name, "Website": site}
        return person | {"AccountId": one([None, *self.tables["salesforce.account"]]), "MasterRecordId": None}

    def change(self) -> None:
        table = self.draw.choice(list(SHAPES))
        _, letter, size = SHAPES[table]
        key = self.key(letter, self.draw.randrange(size + 3))
        if self.draw.random() < 0.25:
            self.tables[table].pop(key, None)
        else:
            self.tables[table][key] = self.row(table)
        if table == "salesforce.contact" and self.draw.random() < 0.4:
            merged, heir = self.draw.sample(list(self.tables[table]), 2)
            self.tables[table][merged]["MasterRecordId"] = heir

    def decide(self, name: Any, record: str, entity: str, judgement: str) -> None:
        """Judge a pair on the evidence the last run left."""
        seen = evidence_of_pair(self.con, name, record, entity)
        number = len(self.evidence) + 1
        self.evidence.append([number, seen.record if seen else None, seen.entity if seen else None])
        self.decisions[name, record, entity] = {
            "object": name,
            "salesforce_id": record,
            "reference_id": entity,
            "judgement": judgement,
            "decided_by": "ann",
            "decided_at": f"2026-02-01 00:00:{number:02d}",
            "decision_id": number,
            "evidence": seen.hash if seen else None,
        }

    def judge(self) -> None:
        name = self.draw.choice(OBJECTS)
        record = self.draw.choice(list(self.tables[f"salesforce.{name}"]))
        entity = self.draw.choice(list(self.tables[ENTITIES[name]]))
        self.decide(name, record, entity, self.draw.choice(["positive", "negative", "unsure"]))

    def run(self, kind: str) -> list[int]:
        """Run everything; return how many records of each object were looked at."""
        self.runs += 1
        for table, (key, _, _) in SHAPES.items():
            rows = [{key: i} | row for i, row in self.tables[table].items()]
            gone = [{"_is_deleted": row.get("MasterRecordId") is not None} for row in rows]
            sales = table.startswith("salesforce.")
            put(self.con, table, [row | more for row, more in zip(rows, gone, strict=True)] if sales else rows)
        self._put_decisions()
        run = run_context(f"r{self.runs}", kind, self.runs)
        for name in TABLES:
            standardize(self.con, name, Settings(), run)
        return [resolve(self.con, o, Settings(), run, models_dir=self.folder).looked_at for o in OBJECTS]

    def _put_decisions(self) -> None:
        self.con.execute(load_contract("match.decision").ddl(replace=True))
        for row in self.decisions.values():
            names, marks = ", ".join(row), ", ".join("?" for _ in row)
            self.con.execute(f"INSERT INTO match.decision ({names}) VALUES ({marks})", list(row.values()))
        self.con.execute("CREATE SCHEMA IF NOT EXISTS _state")
        self.con.execute(EVIDENCE_DDL.format(or_replace="OR REPLACE", if_not_exists=""))
        for kept in self.evidence:
            self.con.execute("INSERT INTO _state.decision_evidence VALUES (?, ?, ?)", kept)

    def links(self) -> dict[str, list[tuple[Any, ...]]]:
        queries = {
            **{f"crosswalk.{o}": "* EXCLUDE (run_id, linked_since)" for o in OBJECTS},
            **{f"match.{o}_candidate": "* EXCLUDE (teaching_value)" for o in OBJECTS},
        }
        return {
            table: [
                tuple(round(value, 9) if isinstance(value, float) else value for value in row)
                for row in self.con.sql(f"SELECT {columns} FROM {table} ORDER BY 1, 2, 3").fetchall()
            ]
            for table, columns in queries.items()
        }

    def reason(self, name: str, record: str) -> tuple[str, str]:
        found: tuple[str, str] = self.con.execute(
            f"SELECT reason_code, reason FROM crosswalk.{name} WHERE salesforce_id = ?", [record]
        ).fetchall()[0]
        return found

    def same_as_whole(self) -> None:
        """What the index gave is what looking at everything gives."""
        looked_at, by_index = self.run("delta"), self.links()
        forget(self.con, "kept_index", "kept_reference")
        assert sum(self.run("delta")) > sum(looked_at), "a whole run"
        assert self.links() == by_index


def test_small_changes_of_people_and_what_was_decided_on_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Among so few nothing is as unlikely as it takes.
    monkeypatch.setattr(hopeless, "FLOOR", -3.0)
    monkeypatch.setattr(hopeless, "SHOWN", 1)
    with connect() as con:
        world = World(con, tmp_path, seed=7)
        world.run("full")
        for _ in range(3):
            world.change()
            world.judge()
        accepted = {name: (record, entity) for name, record, entity in _pairs(world)}
        for name, (record, entity) in accepted.items():
            world.decide(name, record, entity, "positive")
        world.same_as_whole()
        for name, (record, _) in accepted.items():
            assert world.reason(name, record)[0] == "accepted"
        # The phone under one judgement is another one now, and that is all.
        record, entity = accepted["contact"]
        world.tables["reference.person"][entity]["phone"] = "2025550123"
        world.same_as_whole()
        assert world.reason("contact", record)[0] == "asked_again"
        assert "evidence has changed" in world.reason("contact", record)[1]
        # Of everything there is, only an accepted entity is gone.
        record, entity = accepted["lead"]
        del world.tables["reference.person"][entity]
        world.same_as_whole()
        assert "no longer in the reference" in world.reason("lead", record)[1]


def _pairs(world: World) -> list[tuple[str, str, str]]:
    """A pair per object to accept: live records and entities, none of them twice."""
    found, used = [], set[str]()
    for name in OBJECTS:
        live = [key for key, row in world.tables[f"salesforce.{name}"].items() if not row.get("MasterRecordId")]
        entity = next(key for key in reversed(world.tables[ENTITIES[name]]) if key not in used)
        used.add(entity)
        found.append((name, live[0], entity))
    return found
