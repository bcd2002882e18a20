"""Floors of quality on small real sets; well below what is measured, so that only a real loss breaks them."""

import random
from pathlib import Path

import pytest

from tests.support.resolution import connect, links, put, read_csv, resolve_all

DATA = Path(__file__).parents[2] / "data"


@pytest.mark.parametrize(
    ("folder", "name", "precision", "recall"),
    [("restaurants", "account", 0.96, 0.95), ("chicago", "account", 0.92, 0.88), ("febrl4", "contact", 0.98, 0.94)],
)
def test_floor(tmp_path: Path, folder: str, name: str, precision: float, recall: float) -> None:
    kind = "company" if name == "account" else "person"
    records = list(read_csv(DATA / folder / f"{name.capitalize()}.csv"))
    reference = list(read_csv(DATA / folder / f"reference_{kind}.csv"))
    true = {row["salesforce_id"]: row["reference_id"] for row in read_csv(DATA / folder / "truth.csv")}
    with connect() as con:
        put(con, f"salesforce.{name}", records)
        put(con, f"reference.{kind}", reference)
        resolve_all(con, name, tmp_path)
        found = links(con, name)
    linked = {key: entity for key, (status, entity) in found.items() if status == "linked"}
    right = sum(true.get(key) == entity for key, entity in linked.items())
    assert right / len(linked) >= precision
    assert right / len(true) >= recall


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    records = list(read_csv(DATA / "restaurants" / "Account.csv"))
    reference = list(read_csv(DATA / "restaurants" / "reference_company.csv"))
    found = []
    for seed in (1, 2):
        random.Random(seed).shuffle(records)
        random.Random(seed + 10).shuffle(reference)
        with connect() as con:
            put(con, "salesforce.account", records)
            put(con, "reference.company", reference)
            resolve_all(con, "account", tmp_path / str(seed))
            found.append(links(con, "account"))
    assert found[0] == found[1]
