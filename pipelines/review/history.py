"""What happened to a record, newest first: decisions, changes of its link, events in Salesforce."""

from datetime import UTC, datetime
from typing import Any

import duckdb

from data_contracts.mapping import MappedObject
from pipelines.review.published import columns_of, rows_of
from pipelines.review.rows import Event
from resources.decisions import DecisionStore
from resources.decisions_creations import creations
from resources.decisions_reimports import reimports_of

_LINKS = """
SELECT changed_at AS at, change, old_reference_id AS old, new_reference_id AS new, cause
FROM ops.link_change WHERE object = $object AND salesforce_id = $id"""


def history(
    con: duckdb.DuckDBPyConnection, store: DecisionStore, object_name: MappedObject, salesforce_id: str
) -> tuple[Event, ...]:
    """Return decisions, link changes and events in Salesforce of one record; what is taken back is told twice."""
    events = [*_decided(store, object_name, salesforce_id), *_proposed(store, object_name, salesforce_id)]
    events += _again(store, object_name, salesforce_id)
    given = {"object": object_name, "id": salesforce_id}
    if columns_of(con, "ops.link_change"):
        events += [_link(row) for row in rows_of(con, _LINKS, given)]
    if columns_of(con, "ops.record_event"):
        query = "SELECT * FROM ops.record_event WHERE object_name = $object AND salesforce_id = $id"
        events += [_record(row) for row in rows_of(con, query, given)]
    return tuple(sorted(events, key=lambda event: event.at, reverse=True))


def _decided(store: DecisionStore, name: str, salesforce_id: str) -> list[Event]:
    found = []
    for made in store.decisions(name, salesforce_id):
        why = f": {made.reason}" if made.reason else ""
        what = f"{made.judgement} on {made.reference_id}{why}"
        found.append(Event(made.decided_at, "decision", what, made.decided_by, made.reference_id))
        if made.withdrawn_at:
            back = f"taken back: {made.judgement} on {made.reference_id}"
            found.append(Event(made.withdrawn_at, "withdrawn", back, None, made.reference_id))
    return found


def _proposed(store: DecisionStore, name: str, salesforce_id: str) -> list[Event]:
    made = [*creations(store), *creations(store, withdrawn=True)]
    mine = [one for one in made if (one.object, one.salesforce_id) == (name, salesforce_id)]
    return [
        Event(one.decided_at, "created", f"proposal {one.status}", one.decided_by, one.reference_id) for one in mine
    ]


def _again(store: DecisionStore, name: str, salesforce_id: str) -> list[Event]:
    found = []
    for wish in reimports_of(store, name, salesforce_id):
        found.append(Event(wish.asked_at, "import", "asked for again", wish.asked_by, None))
        if wish.served_at:
            found.append(Event(wish.served_at, "import", f"done again as asked, run {wish.run_id}", None, None))
    return found


def _link(row: dict[str, Any]) -> Event:
    way = " → ".join(str(part) for part in (row["old"], row["new"]) if part)
    return Event(_utc(row["at"]), "link", f"link {row['change']}: {way}, cause {row['cause']}", None, row["new"])


def _record(row: dict[str, Any]) -> Event:
    related = f" ({', '.join(row['related_ids'])})" if row.get("related_ids") else ""
    return Event(_utc(row["detected_at"]), "record", f"{row['event']}{related} in Salesforce", None, None)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
