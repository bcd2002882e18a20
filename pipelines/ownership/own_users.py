"""Loading ``ownership.own_user``: the organisation's own users, from a file, a database or the settings themselves.

Whom of the CRM they are is ``pipelines.ownership.users``.
"""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from data_contracts.checks import MOST_IDS
from data_contracts.contracts import load_contract, quoted
from data_contracts.errors import ReferenceDataError
from data_contracts.settings import ReferenceSource, Users
from data_contracts.settings_words import USER_COLUMNS
from pipelines.tables import replace_table, scalar, transaction
from resources.reference_source import SourceTable, nearest, open_reference

#: What a source writes where somebody has left.
_NO = "('false', 'f', 'no', 'n', '0', 'inactive', 'disabled', 'left')"


def load_own_users(con: duckdb.DuckDBPyConnection, users: Users, base_dir: Path) -> int:
    """Replace ``ownership.own_user`` by what the settings name and return how many there are; 0 where they name none.

    A relative path is relative to ``base_dir``. Raises ReferenceDataError when the source cannot be read, has no id or
    neither name nor e-mail, or holds an id twice; the table then stays as it was.
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _own_incoming (user_id VARCHAR, name VARCHAR, email VARCHAR, active VARCHAR)"
    )
    try:
        if users.source:
            _read(con, users.source, base_dir)
        elif users.table:
            rows = [[user.user_id, user.name, user.email, str(user.active)] for user in users.table]
            con.executemany("INSERT INTO _own_incoming VALUES (?, ?, ?, ?)", rows)
        contract = load_contract("ownership.own_user")
        with transaction(con):
            replace_table(con, contract)
            con.execute(
                f"INSERT INTO {contract.relation} BY NAME SELECT user_id, name, email, "
                f"lower(coalesce(active, '')) NOT IN {_NO} AS is_active FROM _own_incoming"
            )
        return scalar(con, f"SELECT count(*) FROM {contract.relation}")
    finally:
        con.execute("DROP TABLE IF EXISTS _own_incoming")


def _read(con: duckdb.DuckDBPyConnection, source: ReferenceSource, base_dir: Path) -> None:
    """Stage the source's rows as text, checked."""
    try:
        with open_reference(con, source, base_dir) as opened:
            chosen = _columns(opened, source.columns)
            relation = opened.relation(tuple(dict.fromkeys(chosen.values())))
            try:
                con.execute(f"INSERT INTO _own_incoming BY NAME SELECT {_values(chosen)} FROM {relation}")
            except duckdb.Error as error:
                raise opened.explain(error) from error
            what = opened.what
    except ReferenceDataError as error:
        raise _of_users(error) from error
    _check(con, what)


def _of_users(error: ReferenceDataError) -> ReferenceDataError:
    """Return an error of opening a reference in the words of the users' own key."""
    told = [
        text.replace("under reference in crosswalk.yaml", "under users.source in crosswalk.yaml")
        .replace("the reference file", "the file of users")
        .replace("reference ", "users: ", 1 if text.startswith("reference ") else 0)
        .replace("; loading it would take every link away", "")
        for text in (error.what, error.why, error.next_step)
    ]
    return ReferenceDataError(told[0], why=told[1], next_step=told[2])


def _columns(opened: SourceTable, mapped: Mapping[str, str]) -> dict[str, str]:
    """Return canonical column → the source's; a canonical column that is not mapped is looked up by its own name."""
    there = {name.lower(): name for name in opened.columns}
    chosen: dict[str, str] = {}
    for column in USER_COLUMNS:
        wanted = mapped.get(column, column)
        if wanted.lower() in there:
            chosen[column] = there[wanted.lower()]
        elif column in mapped:
            raise ReferenceDataError(
                f"users: {opened.what} has no column {wanted}{nearest(wanted, opened.columns)}",
                why=f"its columns are: {', '.join(opened.columns[:20])}",
                next_step="correct users.source.columns in crosswalk.yaml (ours: yours)",
            )
    named = {"name", "last_name", "first_name", "email"} & chosen.keys()
    if "user_id" not in chosen or not named:
        lacks = "column user_id" if "user_id" not in chosen else "name and no e-mail address"
        raise ReferenceDataError(
            f"users: {opened.what} has no {lacks}",
            why=f"its columns are: {', '.join(opened.columns[:20])}; ours are {', '.join(USER_COLUMNS)}",
            next_step="map it under users.source.columns in crosswalk.yaml (ours: yours)",
        )
    return chosen


def _values(chosen: Mapping[str, str]) -> str:
    def text(column: str) -> str:
        return f"nullif(trim({quoted(chosen[column])}::VARCHAR), '')" if column in chosen else "NULL::VARCHAR"

    apart = f"nullif(concat_ws(' ', {text('first_name')}, {text('last_name')}), '')"
    return (
        f"{text('user_id')} AS user_id, coalesce({text('name')}, {apart}) AS name, "
        f"{text('email')} AS email, {text('active')} AS active"
    )


def _check(con: duckdb.DuckDBPyConnection, what: str) -> None:
    rows, ids = con.execute("SELECT count(*), count(user_id) FROM _own_incoming").fetchall()[0]
    twice = con.execute(
        f"SELECT count(*), min(user_id, {MOST_IDS}) FROM "
        "(SELECT user_id FROM _own_incoming WHERE user_id IS NOT NULL GROUP BY ALL HAVING count(*) > 1)"
    ).fetchall()[0]
    told = ""
    if not rows:
        told = "holds no rows"
    elif ids < rows:
        told = f"has no user_id in {rows - ids:,} of {rows:,} rows"
    elif twice[0]:
        told = f"has {twice[0]:,} ids on more than one row, for example {', '.join(twice[1])}"
    if told:
        raise ReferenceDataError(
            f"users: {what} {told}",
            why="every row is one user with an id of its own",
            next_step="correct the source, then run: crosswalk sync; to work without one, remove users.source",
        )
