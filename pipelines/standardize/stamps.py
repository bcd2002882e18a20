"""Which rows of the mirror can have changed since they were standardised, told by the stamps loading leaves on them.

Every row of ``salesforce.*`` says which run wrote it and when. A small change looks at the rows of stamps that are new
or are on more rows than before; a whole run looks at every row, whatever its stamp says. Tables without stamps (the
reference is loaded as a whole) are always looked at as a whole.
"""

import duckdb

from data_contracts.contracts import literal
from pipelines.run import RunContext
from pipelines.tables import table_columns

_KEPT = "_state.standard_stamp"
_STAMP = ("_run_id", "_synced_at")
#: So many new stamps are no small change.
MOST = 100


def has_stamps(con: duckdb.DuckDBPyConnection, source: str) -> bool:
    """Whether the rows of ``source`` say which run wrote them, and when."""
    return set(_STAMP) <= table_columns(con, source).keys()


def changed_since(con: duckdb.DuckDBPyConnection, source: str, signature: str, run: RunContext) -> str | None:
    """Return the SQL condition that holds for every row of ``source`` written since ``note_stamps``; None: unknown.

    What this run has written is always among them: a run that is resumed writes under its own stamp again.
    """
    if run.kind != "delta" or not table_columns(con, _KEPT) or not has_stamps(con, source):
        return None
    mine = {"source": source, "signature": signature}
    known = con.execute(f"SELECT 1 FROM {_KEPT} WHERE source = $source AND signature = $signature LIMIT 1", mine)
    if not known.fetchall():
        return None
    more = con.execute(
        f"SELECT n._run_id, n._synced_at FROM ({_grouped(source)}) n LEFT JOIN {_KEPT} k "
        "ON k.source = $source AND k.run_id = n._run_id AND k.synced_at = n._synced_at "
        f"WHERE n.rows > coalesce(k.rows, 0) LIMIT {MOST + 1}",
        {"source": source},
    ).fetchall()
    if len(more) > MOST:
        return None
    # A list of values of one column is looked up while reading: the rest of the row is not read.
    runs = ", ".join(literal(name) for name in sorted({run.run_id, *(name for name, _ in more)}))
    written = [f"_run_id = {literal(name)} AND _synced_at = TIMESTAMP {literal(str(at))}" for name, at in more]
    return f"_run_id IN ({runs}) AND ({' OR '.join([f'_run_id = {literal(run.run_id)}', *written])})"


def note_stamps(con: duckdb.DuckDBPyConnection, source: str, signature: str) -> None:
    """Note that every row of ``source`` is standardised as it is; ``signature`` stands for how."""
    con.execute(
        f"CREATE TABLE IF NOT EXISTS {_KEPT} "
        "(source VARCHAR, signature VARCHAR, run_id VARCHAR, synced_at TIMESTAMP, rows BIGINT)"
    ).fetchall()
    con.execute(f"DELETE FROM {_KEPT} WHERE source = $source", {"source": source}).fetchall()
    con.execute(
        f"INSERT INTO {_KEPT} SELECT $source, $signature, * FROM ({_grouped(source)})",
        {"source": source, "signature": signature},
    ).fetchall()


def _grouped(source: str) -> str:
    return f"SELECT _run_id, _synced_at, count(*) AS rows FROM {source} GROUP BY ALL"
