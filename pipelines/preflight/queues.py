"""Queues that own records and whose names are not mirrored. What a queue is called otherwise is in ``ownership``."""

import duckdb

from data_contracts.settings import Settings
from pipelines.run import OBJECTS
from pipelines.tables import table_columns

#: The object that holds the names of queues; no default one, since many orgs have none.
GROUP = "group"


def unnamed_queues(con: duckdb.DuckDBPyConnection, settings: Settings) -> str | None:
    """Return in words how many live records queues own whose names the settings leave out; None where none does.

    Counted on the mirrored accounts, contacts and leads in ``con``.
    """
    item = settings.objects.get(GROUP)
    owned = " UNION ALL ".join(
        f"SELECT OwnerId AS id FROM salesforce.{name} WHERE NOT _is_deleted AND OwnerId LIKE '00G%'"
        for name in OBJECTS
        if "OwnerId" in table_columns(con, f"salesforce.{name}")
    )
    if not owned or (item and item.enabled):
        return None
    records, queues = con.execute(f"SELECT count(*), count(DISTINCT id) FROM ({owned})").fetchall()[0]
    if not queues:
        return None
    return f"{queues:,} queue{'s' if queues > 1 else ''} own {records:,} live records, and are called by Id without it"
