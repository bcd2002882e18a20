import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.demo_org.store.errors import SoqlError
from apps.demo_org.store.soql.parser import parse
from apps.demo_org.store.soql.tokens import tokenize
from apps.demo_org.store.soql.tree import Comparison, Logic, Select, SelectItem, SemiJoin


def test_every_clause() -> None:
    tree = parse(
        "select Id, Owner.Name from Account USING SCOPE mine where Name like 'a%' and (X__c > 1.5 or not Y__c = null) "
        "order by Name desc nulls last, Id limit 10 offset 20 all rows"
    )
    assert [str(i.expression.text) for i in tree.items if isinstance(i, SelectItem)] == ["Id", "Owner.Name"]  # type: ignore[union-attr]
    assert (tree.scope, tree.limit, tree.offset, tree.all_rows) == ("mine", 10, 20, True)
    assert isinstance(tree.where, Logic)
    assert tree.where.operator == "AND"
    assert [(o.descending, o.nulls_last) for o in tree.order_by] == [(True, True), (False, False)]


def test_semi_join_and_child_subquery() -> None:
    tree = parse(
        "SELECT Id, (SELECT Id FROM Contacts LIMIT 1) FROM Account WHERE Id NOT IN (SELECT AccountId FROM Lead)"
    )
    assert isinstance(tree.items[1], Select)
    assert isinstance(tree.where, SemiJoin)
    assert tree.where.negated


@pytest.mark.parametrize(
    ("soql", "message"),
    [
        ("SELEKT Id FROM Account", "unexpected token: SELEKT"),
        ("SELECT Id FROM Account WHERE", "unexpected token: <EOF>"),
        ("SELECT Id FROM Account LIMIT x", "unexpected token: x"),
        ("SELECT Id, FROM Account", "unexpected token: FROM"),
        ("SELECT Id FROM Account WHERE A = 1 AND B = 2 OR C = 3", "unexpected token: OR"),
        ("SELECT Id FROM Account ORDER Name", "unexpected token: Name"),
        ("SELECT Id FROM Account WHERE Name = 'a\\qb'", "Illegal string literal escape sequence: \\q"),
        ("SELECT Id FROM Account;", "no viable alternative at character ';'"),
        ("", "unexpected token: <EOF>"),
    ],
)
def test_malformed(soql: str, message: str) -> None:
    with pytest.raises(SoqlError) as refused:
        parse(soql)
    assert refused.value.code == "MALFORMED_QUERY"
    assert message in refused.value.message


def test_offset_limit() -> None:
    with pytest.raises(SoqlError) as refused:
        parse("SELECT Id FROM Account OFFSET 2001")
    assert refused.value.code == "NUMBER_OUTSIDE_VALID_RANGE"


def escaped(text: str) -> str:
    table = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "".join(table.get(c, c) for c in text)


@given(st.text(max_size=40))
def test_any_text_survives_quoting(text: str) -> None:
    tree = parse(f"SELECT Id FROM Account WHERE Name = '{escaped(text)}'")
    assert isinstance(tree.where, Comparison)
    assert tree.where.value.text == text


def outcome(soql: str) -> str:
    try:
        parse(soql)
    except SoqlError as refused:
        return refused.code
    return "parsed"


@given(st.text(max_size=60))
def test_no_text_breaks_the_parser_in_any_other_way(text: str) -> None:
    known = ("parsed", "MALFORMED_QUERY", "NUMBER_OUTSIDE_VALID_RANGE")
    assert outcome("SELECT Id FROM Account WHERE " + text) in known


def test_datetimes_with_offsets_are_one_token() -> None:
    kinds = [t.kind for t in tokenize("2026-01-02T03:04:05+05:30 2026-01-02T03:04:05.123Z 2026-01-02 -5 1.5e3")]
    assert kinds == ["datetime", "datetime", "date", "number", "number", "end"]
