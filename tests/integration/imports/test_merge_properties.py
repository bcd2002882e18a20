"""The merge of source fields against an oracle in plain Python: choices, statics, transforms, types, addresses."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from data_contracts.contracts import quoted
from data_contracts.mapping import effective_targets, on_described
from data_contracts.settings import Settings
from pipelines.imports.expressions import missing_required, record_query

FIELDS = ("Phone", "Fax", "Website", "Site__c")
PARTS = {"street": "Street", "city": "City", "state": "State", "postal_code": "PostalCode", "country": "Country"}
ADDRESSES = [f"{kind}{part}" for kind in ("Billing", "Shipping") for part in PARTS.values()]
TEXTS = st.sampled_from([None, "", "  ", " a ", "B;c", "+47 22-00", "Https://www.A.test/x", "x@Y.test", "12", "true"])


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:", config={"threads": 1}) as made:
        made.execute("CREATE SCHEMA salesforce")
        columns = ", ".join(f"{quoted(name)} VARCHAR" for name in ("Id", *FIELDS, *ADDRESSES))
        made.execute(f"CREATE TABLE salesforce.account ({columns}, _is_deleted BOOLEAN)")
        yield made


def through(con: duckdb.DuckDBPyConnection, rows: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """One record through the mapping: target → value, target__choice → number, and whether it would be left out."""
    settings = Settings.model_validate({"imports": {"mapping": {"account": rows}}})
    names = ("Id", *FIELDS, *ADDRESSES)
    con.execute("DELETE FROM salesforce.account").fetchall()
    values = ["A", *(record.get(name) for name in names[1:]), False]
    con.execute(f"INSERT INTO salesforce.account VALUES ({', '.join('?' for _ in values)})", values).fetchall()
    mapping = on_described(effective_targets(settings, "account"), set(names), "account")
    query = record_query(mapping, dict.fromkeys(names, "VARCHAR"))
    answer = con.execute(f"SELECT *, {missing_required(mapping, 'v')} AS left_out FROM ({query}) AS v")
    heads = [item[0] for item in answer.description or ()]
    return dict(zip(heads, answer.fetchall()[0], strict=True))


def first(values: Sequence[str | None]) -> tuple[int, str] | None:
    """Number and value of the first that is not blank."""
    return next(((place, text) for place, text in enumerate(values, 1) if text and text.strip(" ")), None)


def transformed(name: str, text: str) -> str | None:
    kept = text.strip(" ")
    if name == "domain":
        found = re.match(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^/@\s]*@)?(?:www\.)?([^/:?#\s]+)", kept.lower())
        return found[1] if found else None
    made = {
        "none": lambda: text,
        "trim": lambda: kept,
        "lower": lambda: kept.lower(),
        "upper": lambda: kept.upper(),
        "email": lambda: kept.lower() if re.fullmatch(r"[^@\s]+@[^@\s]+", kept.lower()) else None,
        "phone": lambda: re.sub(r"[^0-9+]", "", text) or None,
        "digits": lambda: re.sub(r"[^0-9]", "", text) or None,
        "first": lambda: text.split(";")[0].strip(" ") or None,
    }
    return made[name]()


ROW = st.fixed_dictionaries(
    {
        "sources": st.lists(st.sampled_from(FIELDS), min_size=1, max_size=4, unique=True),
        "transform": st.sampled_from(["none", "trim", "lower", "upper", "email", "domain", "phone", "digits", "first"]),
        "required": st.booleans(),
    },
    optional={"static": st.sampled_from(["s", "Q@r.test"])},
)
RECORD = st.fixed_dictionaries(dict.fromkeys(FIELDS, TEXTS))


@examples(max_examples=60, deadline=None)
@given(ROW, RECORD)
def test_the_first_choice_with_a_value_wins_and_the_static_value_comes_last(
    con: duckdb.DuckDBPyConnection, row: dict[str, Any], record: dict[str, Any]
) -> None:
    found = through(con, {"mine": row}, record)
    won = first([record[name] for name in row["sources"]])
    place, text = won or (0 if "static" in row else None, row.get("static"))
    assert found["mine__choice"] == place
    assert found["mine"] == (None if text is None else transformed(row["transform"], text))
    assert found["left_out"] == (row["required"] and found["mine"] is None)


@examples(max_examples=30, deadline=None)
@given(RECORD, st.permutations(FIELDS))
def test_what_is_blank_changes_nothing(
    con: duckdb.DuckDBPyConnection, record: dict[str, Any], order: Sequence[str]
) -> None:
    """Choices that are empty may stand anywhere, or nowhere."""
    filled = [name for name in order if first([record[name]])]
    whole = through(con, {"mine": {"sources": list(order)}}, record)["mine"]
    assert whole == (through(con, {"mine": {"sources": filled}}, record)["mine"] if filled else None)


@examples(max_examples=40, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(ADDRESSES, st.sampled_from([None, " ", "x", "y"]))))
@example({name: "x" if name in ("BillingState", "ShippingStreet") else None for name in ADDRESSES})
def test_an_address_never_mixes_two(con: duckdb.DuckDBPyConnection, record: dict[str, Any]) -> None:
    found = through(con, {}, record)
    for kind in ("Billing", "Shipping", None):
        parts = [record[f"{kind}{part}"] if kind else None for part in PARTS.values()]
        if kind is None or first(parts):
            break
    assert [found[name] for name in PARTS] == [text if text and text.strip() else None for text in parts]


@examples(max_examples=30, deadline=None)
@given(TEXTS)
def test_a_type_takes_what_fits_and_nothing_else(con: duckdb.DuckDBPyConnection, text: str | None) -> None:
    rows = {
        "number": {"sources": ["Phone"], "type": "integer"},
        "flag": {"sources": ["Phone"], "type": "boolean"},
        "day": {"sources": ["Phone"], "type": "date"},
    }
    found = through(con, rows, {"Phone": text})
    assert found["number"] == (12 if text == "12" else None)
    assert found["flag"] == (True if text == "true" else None)
    assert found["day"] is None
