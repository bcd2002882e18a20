"""Two writings of one thing come out alike, those of two things do not: the pairs are in ``tests/support/writings.py``.

Each class is standardised in one go, and every pair that fails is named.
"""

from typing import Any

import duckdb
import pytest

from data_contracts.settings import Settings
from pipelines.standardize import standardize
from tests.support import writings, writings_addresses
from tests.support.resolution import connect, put, run_context

Row = dict[str, Any]


def standard(table: str, rows: list[Row]) -> list[Row]:
    """Return the standardised rows in the order of ``rows``."""
    key = "Id" if table == "contact" else f"{table}_id"
    source = f"salesforce.{table}" if table == "contact" else f"reference.{table}"
    with connect() as con:
        put(con, source, [{key: f"{i:05}"} | row for i, row in enumerate(rows)])
        standardize(con, table, Settings(), run_context())  # type: ignore[arg-type]
        return con.sql(f"SELECT * FROM standard.{table} ORDER BY 1").to_arrow_table().to_pylist()


def both(rows: list[Row]) -> list[tuple[Row, Row]]:
    return list(zip(rows[::2], rows[1::2], strict=True))


def alike(left: str, right: str) -> bool:
    """As the first levels of the comparisons have it: a letter or two differ."""
    expression = "jaro_winkler_similarity($a, $b) >= 0.92 OR levenshtein($a, $b) <= 1"
    return bool(duckdb.execute(f"SELECT {expression}", {"a": left, "b": right}).fetchall()[0][0])


def squashed(text: str | None) -> str:
    return (text or "").replace(" ", "")


def same_name(left: Row, right: Row) -> bool:
    names = [{row["name_key"], *row["other_names"]} - {None} for row in (left, right)]
    return bool(names[0] & names[1]) or squashed(left["name_core"]) == squashed(right["name_core"])


def comparable_name(left: Row, right: Row) -> bool:
    cores = squashed(left["name_core"]), squashed(right["name_core"])
    return (
        same_name(left, right)
        or cores in ((left["acronym"], cores[1]), (cores[0], right["acronym"]))
        or left["acronym"] == cores[1]
        or (left["name_numbers"] == right["name_numbers"] and alike(*cores))
    )


def test_company_names() -> None:
    pairs = writings.COMPANY_NAMES
    found = both(standard("company", [{"name": name} for pair in pairs for name in pair[:2]]))
    apart = [p for p, rows in zip(pairs, found, strict=True) if p[2] and not comparable_name(*rows)]
    one = [p for p, rows in zip(pairs, found, strict=True) if not p[2] and same_name(*rows)]
    assert (apart, one) == ([], [])


def test_streets() -> None:
    pairs = writings_addresses.STREETS
    found = both(standard("company", [{"name": "x", "street": street} for pair in pairs for street in pair[:2]]))
    keys = [[(row["street_number"], row["street_name"]) for row in rows] for rows in found]
    assert [(p, k) for p, k in zip(pairs, keys, strict=True) if (k[0] == k[1] and any(k[0])) != p[2]] == []


def test_states() -> None:
    pairs = writings_addresses.STATES
    rows = [{"name": "x", "state": state, "country": pair[2]} for pair in pairs for state in pair[:2]]
    found = both(standard("company", rows))
    states = [(left["state_clean"], right["state_clean"]) for left, right in found]
    assert [(p, s) for p, s in zip(pairs, states, strict=True) if (s[0] == s[1]) != p[3]] == []


def test_phones() -> None:
    pairs = writings.PHONES
    rows = [{"name": "x", "phone": n, "country": c} for p in pairs for n, c in ((p[0], p[1]), (p[2], p[3]))]
    ends = [[(row["phone"] or "")[-9:] for row in found] for found in both(standard("company", rows))]
    assert [(p, e) for p, e in zip(pairs, ends, strict=True) if (e[0] == e[1] != "") != p[4]] == []


def test_domains() -> None:
    rows = [{"name": "x", "website": address} for address, _ in writings.DOMAINS]
    found = [row["domain"] for row in standard("company", rows)]
    assert dict(zip((address for address, _ in writings.DOMAINS), found, strict=True)) == dict(writings.DOMAINS)


def test_hosts_of_many_are_nobodys_own() -> None:
    rows = standard("company", [{"name": "x", "website": host} for host in writings.SHARED])
    assert [row["domain"] for row in rows if not row["domain_is_shared"]] == []


def same_person(left: Row, right: Row) -> bool:
    last = squashed(left["last_name_clean"]) == squashed(right["last_name_clean"])
    canonical = set(left["first_name_canonical"] or []) & set(right["first_name_canonical"] or [])
    return last and (bool(canonical) or left["first_name_clean"] == right["first_name_clean"])


def comparable_person(left: Row, right: Row) -> bool:
    """Alike, one part of the other, an initial, or first and last name exchanged."""
    (lf, ll), (rf, rl) = (
        (squashed(row["first_name_clean"]), squashed(row["last_name_clean"])) for row in (left, right)
    )
    canonical = set(left["first_name_canonical"] or []) & set(right["first_name_canonical"] or [])
    last = alike(ll, rl) or ll in rl or rl in ll
    first = bool(canonical) or alike(lf, rf) or lf.startswith(rf) or rf.startswith(lf)
    return (last and first) or (alike(lf, rl) and (alike(ll, rf) or bool(canonical)))


def test_persons() -> None:
    pairs = writings.PERSONS
    found = both(standard("contact", [{"Name": name} for pair in pairs for name in pair[:2]]))
    apart = [p for p, rows in zip(pairs, found, strict=True) if p[2] and not comparable_person(*rows)]
    one = [p for p, rows in zip(pairs, found, strict=True) if not p[2] and same_person(*rows)]
    assert (apart, one) == ([], [])


def test_birth_dates() -> None:
    rows = [{"first_name": "x", "last_name": "y", "birthdate": typed} for typed, _ in writings.BIRTH_DATES]
    found = [row["birthdate"] for row in standard("person", rows)]
    assert dict(zip((typed for typed, _ in writings.BIRTH_DATES), found, strict=True)) == dict(writings.BIRTH_DATES)


@pytest.mark.parametrize(("names", "kept"), [(writings.PLACEHOLDERS, False), (writings.NO_PLACEHOLDERS, True)])
def test_placeholders(names: tuple[str, ...], kept: bool) -> None:
    found = [row["name_clean"] is not None for row in standard("company", [{"name": name} for name in names])]
    assert [name for name, is_kept in zip(names, found, strict=True) if is_kept != kept] == []


def test_surnames_that_would_be_placeholders_of_a_company_stay() -> None:
    rows = [{"first_name": "Ann", "last_name": name} for name in ("Wu", "Foo", "Ohne", "Customer", "Na", "Ka")]
    found = [row["last_name_clean"] for row in standard("person", rows)]
    assert found == ["wu", "foo", "ohne", "customer", "na", "ka"]
