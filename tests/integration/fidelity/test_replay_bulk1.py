"""Every recorded exchange of Bulk API 1, repeated at an org that holds other records, and compared.

Compared: status, elements and their order, types, and the values of the protocol (states, counts, modes). What came
of a batch must be what the org then holds.
"""

from typing import Any

import pytest

from tests.support.bulk1_shapes import ordered_names, protocol_of, recorded_value, value_of
from tests.support.recorded import Recorded, not_replayed, recorded
from tests.support.replay import Replay
from tests.support.replay_bulk1 import Bulk1Replay
from tests.support.shapes import differences

_REPLAYED = [each for each in recorded() if each.is_bulk1 and each.n not in not_replayed()]


@pytest.fixture(scope="module")
def bulk1(replay: Replay) -> Bulk1Replay:
    return Bulk1Replay(replay)


@pytest.mark.parametrize("exchange", _REPLAYED, ids=str)
def test_replay(replay: Replay, bulk1: Bulk1Replay, exchange: Recorded) -> None:
    answer = bulk1.answer(exchange)
    assert answer.status_code == exchange.status, answer.text
    wanted, found = recorded_value(exchange), value_of(answer.text)
    assert differences(wanted, found) == []
    is_query = isinstance(exchange.body, dict)
    assert protocol_of(found, is_query=is_query) == protocol_of(wanted, is_query=is_query)
    if isinstance(exchange.body, str):
        assert ordered_names(found) == ordered_names(wanted)
    if exchange.body and str(exchange.body).startswith('"Id"'):
        assert [_fate(row) for row in found] == [_fate(row) for row in wanted]
        _compare_with_org(replay, found, bulk1.sent_records(exchange))


def _fate(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "Id"}


def _compare_with_org(replay: Replay, results: list[dict[str, Any]], sent: list[dict[str, str]]) -> None:
    """Each record that a result names is in the org as it was sent."""
    assert len(results) == len(sent)
    kind = {"001": "Account", "003": "Contact", "006": "Opportunity"}[results[0]["Id"][:3]]
    fields = [name for name in sent[0] if name not in ("Id", "AccountId", "ContactId")]
    ids = ", ".join(f"'{row['Id']}'" for row in results)
    kept = replay.client.query(f"SELECT Id, {', '.join(fields)} FROM {kind} WHERE Id IN ({ids})")["records"]
    by_id = {record["Id"]: [str(record[name]).lower() for name in fields] for record in kept}
    assert [by_id[row["Id"]] for row in results] == [[each[name].lower() for name in fields] for each in sent]
