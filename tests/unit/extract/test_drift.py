"""What differs between two describes, as it is said and as it is acted upon."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.extract.drift import KnownField, differences
from pipelines.extract.fields import FieldSpec
from pipelines.extract.table import kept_name, retired_comment

TEXT, NUMBER = ("string", 40, 0, 0), ("double", 0, 18, 2)


def spec(name: str, kind: tuple[str, int, int, int] = TEXT, label: str = "", calculated: bool = False) -> FieldSpec:
    return FieldSpec(name, label or name, *kind, calculated=calculated)


def known(name: str, kind: tuple[str, int, int, int] = TEXT, label: str = "", gone: bool = False) -> KnownField:
    return KnownField(name, label or name, *kind, gone=gone)


def said(before: Sequence[KnownField], now: Sequence[FieldSpec]) -> list[tuple[str, str, bool]]:
    return [(change.field, change.change, change.refill) for change in differences(before, now)]


@pytest.mark.parametrize(
    ("before", "now", "wanted"),
    [
        ([], [spec("A")], []),
        ([known("A")], [spec("A")], []),
        ([known("A")], [spec("A"), spec("B")], [("B", "added", True)]),
        ([known("A"), known("B")], [spec("A")], [("B", "removed", True)]),
        ([known("A"), known("B", gone=True)], [spec("A")], []),
        ([known("A"), known("B", gone=True)], [spec("A"), spec("B")], [("B", "returned", True)]),
        ([known("A")], [spec("A", NUMBER)], [("A", "retyped", True)]),
        ([known("A")], [spec("A", ("picklist", 40, 0, 0))], [("A", "retyped", True)]),
        ([known("A")], [spec("A", calculated=True)], [("A", "retyped", True)]),
        ([known("A")], [spec("A", ("string", 80, 0, 0))], [("A", "resized", False)]),
        ([known("A")], [spec("A", ("string", 20, 0, 0))], [("A", "resized", True)]),
        ([known("A", NUMBER)], [spec("A", ("double", 0, 18, 4))], [("A", "resized", True)]),
        ([known("A")], [spec("a")], [("a", "renamed", False)]),
        ([known("A")], [spec("a", NUMBER)], [("a", "renamed", False), ("a", "retyped", True)]),
        ([known("A", gone=True), known("B", gone=True)], [spec("A"), spec("B")], [("*", "returned", False)]),
        (
            [known("A", gone=True), known("B", gone=True)],
            [spec("A", NUMBER)],
            [("*", "returned", False), ("A", "retyped", True)],
        ),
    ],
)
def test_differences(before: list[KnownField], now: list[FieldSpec], wanted: list[tuple[str, str, bool]]) -> None:
    assert said(before, now) == wanted


def test_only_a_single_pair_is_called_a_rename() -> None:
    before, after = [known("Old", label="L"), known("X")], [spec("New", label="L"), spec("X")]
    assert [("perhaps renamed" in change.message) for change in differences(before, after)] == [True, True]
    for now in (
        [spec("New", label="L"), spec("Newer", label="L"), spec("X")],
        [spec("New", NUMBER, label="L"), spec("X")],
        [spec("New", label="Other"), spec("X")],
    ):
        assert not [change for change in differences(before, now) if "perhaps renamed" in change.message]


def test_both_causes_are_named() -> None:
    message = differences([known("A"), known("B")], [spec("A")])[0].message
    assert "deleted in the org" in message
    assert "field-level security" in message


KINDS = st.sampled_from([TEXT, NUMBER, ("picklist", 40, 0, 0), ("string", 80, 0, 0)])
DESCRIBES = st.dictionaries(st.sampled_from("ABCDE"), KINDS, min_size=1)


@given(DESCRIBES, DESCRIBES)
def test_every_difference_is_told_and_nothing_else(
    before: dict[str, tuple[str, int, int, int]], now: dict[str, tuple[str, int, int, int]]
) -> None:
    found = differences([known(*item) for item in before.items()], [spec(*item) for item in now.items()])
    assert sorted(change.field for change in found) == sorted(
        name for name in before.keys() | now.keys() if before.get(name) != now.get(name)
    )
    assert {change.field for change in found if change.change == "removed"} == before.keys() - now.keys()
    assert {change.field for change in found if change.change == "added"} == now.keys() - before.keys()


def test_the_column_of_an_earlier_type_says_so() -> None:
    assert kept_name("Fee__c", "DECIMAL(18,4)") == "Fee__c__decimal_18_4"
    assert "Fee__c had as DECIMAL_18_4" in retired_comment("Fee__c__decimal_18_4")
    assert "last known values" in retired_comment("Fee__c")
