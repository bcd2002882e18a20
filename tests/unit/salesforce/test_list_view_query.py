"""Scope and condition are taken out of a list view's SOQL, whatever its literals hold."""

import pytest

from resources.salesforce.rest import ListViewQuery


@pytest.mark.parametrize(
    ("soql", "scope", "where"),
    [
        ("SELECT Name FROM Account", "everything", ""),
        ("SELECT Name FROM Account WHERE A = 1 ORDER BY Name ASC NULLS FIRST, Id ASC", "everything", "A = 1"),
        ("SELECT Name FROM Account USING SCOPE mine WHERE A = 1 LIMIT 5", "mine", "A = 1"),
        ("select Name from Account using scope Team where (A = 1 or B = 2) order by Name", "team", "(A = 1 or B = 2)"),
        ("SELECT N FROM A WHERE N = 'ORDER BY x' AND M = 'it\\'s WHERE' ORDER BY N", "everything",
         "N = 'ORDER BY x' AND M = 'it\\'s WHERE'"),
        ("SELECT N FROM A WHERE Id IN (SELECT AId FROM B WHERE C = 1 LIMIT 3) AND D = 2", "everything",
         "Id IN (SELECT AId FROM B WHERE C = 1 LIMIT 3) AND D = 2"),
    ],
)  # fmt: skip
def test_parse(soql: str, scope: str, where: str) -> None:
    assert ListViewQuery.parse(soql) == ListViewQuery(scope, where)
