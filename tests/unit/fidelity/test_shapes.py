"""The comparison of answers with recordings finds every key lost or added and every type changed."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.recorded import Recorded, not_replayed, recorded
from tests.support.shapes import differences, protocol_values, shape_of, thinned

_REPLAYED = [each for each in recorded() if each.n not in not_replayed() and isinstance(each.body, dict | list)]
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=20,
)


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a body; only of the last element of an array, as another could hide the change of one."""
    found = [at]
    if isinstance(value, dict):
        for key, each in value.items():
            found += _places(each, (*at, key))
    if isinstance(value, list) and len(value) == 1:
        found += _places(value[0], (*at, 0))
    return found


_BODIES = [each for each in _REPLAYED if len(_places(each.body)) > 1 and not each.thinned]


def _parent(body: Any, place: tuple[Any, ...]) -> Any:
    for step in place[:-1]:
        body = body[step]
    return body


@settings(max_examples=40, deadline=None)
@given(_json)
def test_a_body_agrees_with_itself_and_thinned_with_whole(body: Any) -> None:
    assert differences(body, body) == []
    assert shape_of(thinned(body)) == shape_of(body)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_key_removed_or_added_and_a_type_changed_are_found(data: st.DataObject) -> None:
    body = data.draw(st.sampled_from(_BODIES)).body
    place = data.draw(st.sampled_from(_places(body)[1:]))
    changed = copy.deepcopy(body)
    parent = _parent(changed, place)
    how = data.draw(st.sampled_from(["remove", "retype", "add"]))
    if how == "retype":
        parent[place[-1]] = 5 if not isinstance(parent[place[-1]], int) else "text"
    elif isinstance(parent, list):
        parent.clear()
    elif how == "remove":
        del parent[place[-1]]
    else:
        parent["notRecorded"] = None
    assert differences(body, changed) != []
    assert differences(changed, body) != []


@pytest.mark.parametrize("exchange", [each for each in _BODIES if each.status >= 400], ids=str)
def test_another_error_code_or_message_is_found(exchange: Recorded) -> None:
    wanted = protocol_values(exchange.body)
    for key in ("errorCode", "message"):
        changed = copy.deepcopy(exchange.body)
        changed[0][key] += "X"
        assert protocol_values(changed) != wanted


def test_ids_and_versions_may_differ_and_nothing_else() -> None:
    location = {"location": "/services/data/v51.0/sobjects/Account/001B000001Lp1G2IAJ"}
    other = {"location": "/services/data/v60.0/sobjects/Account/0015g00000000G9AAI"}
    assert protocol_values(location) == protocol_values(other)
    assert protocol_values(location) != protocol_values({"location": other["location"].replace("Account", "Lead")})


def test_an_array_that_became_empty_is_found() -> None:
    assert differences({"records": [{"Id": "1"}]}, {"records": []}) == [
        "$.records: one array is empty, the other is not"
    ]
    assert differences([{"a": 1}, {"a": None}], [{"a": 1}]) == ["$[].a: recorded null|number, answered number"]
