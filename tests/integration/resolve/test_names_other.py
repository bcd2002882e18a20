"""A company is found by another name of its, and names written as one word or two are the same."""

from pathlib import Path
from typing import Any

from tests.support.resolution import connect, put, resolve_all

COMPANIES: list[dict[str, Any]] = [
    {"company_id": "c1", "name": "Zentora Holding AG", "city": "Bonn", "other_names": "Kiesgrube Lindental GmbH"},
    {"company_id": "c2", "name": "Goodwill Furniture", "city": "Austin", "other_names": None},
    {"company_id": "c3", "name": "Nordlicht Reederei", "city": "Kiel", "other_names": None},
    *({"company_id": f"d{i}", "name": f"{word} Bakery", "city": "Ulm"} for i, word in enumerate(("Adler", "Birke"))),
]
ACCOUNTS = [
    {"Id": "A1".ljust(18, "0"), "Name": "Kiesgrube Lindental", "BillingCity": "Bonn"},
    {"Id": "A2".ljust(18, "0"), "Name": "Good Will Furniture", "BillingCity": "Austin"},
    {"Id": "A3".ljust(18, "0"), "Name": "Nordlicht Reederei, now Seewind", "BillingCity": "Kiel"},
]


def test_other_names_and_torn_names_make_candidates_that_no_veto_bars(tmp_path: Path) -> None:
    with connect() as con:
        put(con, "salesforce.account", ACCOUNTS)
        put(con, "reference.company", COMPANIES)
        resolve_all(con, "account", tmp_path)
        best = dict(
            con.sql("SELECT salesforce_id[1:2], reference_id FROM match.account_candidate WHERE rank = 1").fetchall()
        )
        reasons = [reason for (reason,) in con.sql("SELECT reason FROM crosswalk.account").fetchall()]
    assert best == {"A1": "c1", "A2": "c2", "A3": "c3"}
    assert not any("nothing in common" in reason for reason in reasons)


def test_a_name_that_is_part_of_another_links_only_where_something_else_agrees(tmp_path: Path) -> None:
    words = ("Kivelo Bravluve", "Troguba Vlusuzu", "Zuhakla Klawigru", "Drigruba Gutrowi")
    companies = [{"company_id": f"c{i}", "name": f"{word} Textiles", "city": "Ulm"} for i, word in enumerate(words)]
    accounts = [
        {"Id": f"A{i}".ljust(18, "0"), "Name": f"{word.split()[1]} Textiles", "BillingCity": "Ulm" if i % 2 else None}
        for i, word in enumerate(words)
    ]
    with connect() as con:
        put(con, "salesforce.account", accounts)
        put(con, "reference.company", companies)
        resolve_all(con, "account", tmp_path)
        found = con.sql(
            "SELECT salesforce_id[1:2], reference_id, veto FROM match.account_candidate WHERE rank = 1 ORDER BY ALL"
        ).fetchall()
    alone = "one name is only part of the other, and nothing else agrees"
    assert found == [(f"A{i}", f"c{i}", None if i % 2 else alone) for i in range(4)]
