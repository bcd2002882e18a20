from apps.demo_org.list_view_query import read_list_query


def test_a_flat_query_is_told_in_parts() -> None:
    parsed = read_list_query(
        "SELECT Name, Owner.Alias FROM Account USING SCOPE mine WHERE Industry = 'Food' AND NumberOfEmployees > 5 "
        "ORDER BY Name DESC NULLS LAST, Id"
    )
    assert parsed.paths == ["Name", "Owner.Alias"]
    assert parsed.scope == "mine"
    assert parsed.where == {
        "conditions": [
            {"field": "Industry", "operator": "equals", "values": ["'Food'"]},
            {"field": "NumberOfEmployees", "operator": "greaterThan", "values": ["5"]},
        ],
        "conjunction": "and",
    }
    assert [(each["fieldNameOrPath"], each["sortDirection"], each["nullsPosition"]) for each in parsed.order_by] == [
        ("Name", "descending", "last"),
        ("Id", "ascending", "first"),
    ]


def test_what_cannot_be_told_in_parts_is_left_to_the_query_text() -> None:
    assert read_list_query("SELECT Id FROM Lead WHERE (A = 1 OR B = 2)").where is None
    assert read_list_query("not a query").paths == ["Id"]
