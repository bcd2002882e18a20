"""The decisions store: what people judged about a record and a reference entity, in a small SQL database.

SQLite in the home, or PostgreSQL for a team; never the DuckDB file, which can be rebuilt while this cannot.
Rows are only added; taking one back sets ``withdrawn_at`` once. What a decision does to a link is
``pipelines.resolve``.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from data_contracts.errors import SettingsError, WarehouseError
from resources.decisions_schema import DECISION, HEAD, METADATA, SCHEMA_VERSION, stored_version, upgrade

Judgement = Literal["positive", "negative", "unsure"]
JUDGEMENTS: tuple[Judgement, ...] = ("positive", "negative", "unsure")
ARROW_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("object", "salesforce_id", "reference_id", "judgement", "reason")),
        ("decided_by", pa.string()),
        *((name, pa.timestamp("us")) for name in ("decided_at", "expires_at", "withdrawn_at")),
        ("decision_id", pa.int64()),
        ("evidence", pa.string()),
    ]
)
EVIDENCE_SCHEMA = pa.schema([("decision_id", pa.int64()), ("record", pa.string()), ("entity", pa.string())])


_COLUMN = {"decision_id": "id"}
#: A judgement without the two texts of its evidence.
LIGHT = [column for column in DECISION.c if not column.name.startswith("evidence_")]
_EVIDENCE = (DECISION.c.evidence_record.label("record"), DECISION.c.evidence_entity.label("entity"))


@dataclass(frozen=True)
class Evidence:
    """What spoke for a judgement when it was made: both sides as JSON, and the hash of them."""

    hash: str
    record: str
    entity: str


@dataclass(frozen=True)
class Decision:
    """One judgement of one person; times are aware UTC."""

    id: int
    object: str
    salesforce_id: str
    reference_id: str
    judgement: Judgement
    reason: str | None
    decided_by: str
    decided_at: datetime
    expires_at: datetime | None = None
    withdrawn_at: datetime | None = None
    evidence: str | None = None
    bulk_id: int | None = None


class DecisionStore:
    """The store behind one SQLAlchemy URL; its tables are made on first use.

    Raises SettingsError for a URL that cannot be used and WarehouseError when the database does not answer or was
    written by a newer version. Messages carry no password.
    """

    def __init__(self, url: str) -> None:
        self._url = _driver(url)
        self._engine = _engine(self._url)
        self._prepare()

    def record(
        self,
        object_name: str,
        salesforce_id: str,
        reference_id: str,
        judgement: Judgement,
        *,
        decided_by: str,
        reason: str | None = None,
        decided_at: datetime | None = None,
        expires_at: datetime | None = None,
        evidence: Evidence | None = None,
    ) -> Decision:
        """Add one judgement and return it; a later one on the same pair takes its place when replayed.

        Whatever others decided meanwhile: who must know of that uses ``resources.decisions_acts``.
        """
        row = decision_row(object_name, salesforce_id, reference_id, judgement, decided_by, reason, evidence)
        row |= {"expires_at": naive(expires_at)} | ({"decided_at": naive(decided_at)} if decided_at else {})
        with self.begin() as connection:
            advance(connection, row, judgement)
            return add_decision(connection, row)

    def withdraw(self, decision_id: int, *, at: datetime | None = None) -> bool:
        """Take a judgement back; False when there is none of this id or it was taken back before."""
        with self.begin() as connection:
            found = connection.execute(sa.select(DECISION).where(DECISION.c.id == decision_id)).mappings().first()
            taken = found is not None and take_back(connection, decision_id, at)
            if found is not None and taken:
                advance(connection, dict(found), "withdrawn")
            return taken

    def decisions(self, object_name: str | None = None, salesforce_id: str | None = None) -> tuple[Decision, ...]:
        """Return the judgements in the order they were made, of one object or record if asked."""
        query = sa.select(*LIGHT).order_by(DECISION.c.id)
        if object_name is not None:
            query = query.where(DECISION.c.object == object_name)
        if salesforce_id is not None:
            query = query.where(DECISION.c.salesforce_id == salesforce_id)
        with self.begin() as connection:
            return tuple(to_decision(row) for row in connection.execute(query))

    def export_arrow(self) -> pa.Table:
        """Return every judgement with the columns of ``match.decision``, in the order they were made."""
        columns = [DECISION.c[_COLUMN.get(name, name)].label(name) for name in ARROW_SCHEMA.names]
        with self.begin() as connection:
            rows = connection.execute(sa.select(*columns).order_by(DECISION.c.id)).mappings().all()
        return pa.Table.from_pylist([dict(row) for row in rows], schema=ARROW_SCHEMA)

    def export_evidence(self, batch: int = 5_000) -> Iterator[pa.RecordBatch]:
        """Return what spoke for each judgement not taken back, a batch at a time: two texts of JSON each."""
        columns = (DECISION.c.id.label("decision_id"), *_EVIDENCE)
        query = sa.select(*columns).where(DECISION.c.evidence.is_not(None), DECISION.c.withdrawn_at.is_(None))
        with self.begin() as connection:
            found = connection.execution_options(stream_results=True).execute(query.order_by(DECISION.c.id))
            for rows in found.mappings().partitions(batch):
                yield pa.RecordBatch.from_pylist([dict(row) for row in rows], schema=EVIDENCE_SCHEMA)

    def reclaim(self) -> None:
        """Take back the space of rows that were deleted, so that no byte of them stays in the tables.

        PostgreSQL's plain VACUUM leaves the bytes where they were and the planner's samples of values as they are: our
        tables are written anew and sampled anew. Tables of others in that database are left alone.
        """
        postgres = self._url.get_backend_name() == "postgresql"
        statements = [f"VACUUM (FULL, ANALYZE) {table.name}" for table in METADATA.sorted_tables]
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements if postgres else ["VACUUM"]:
                connection.exec_driver_sql(statement)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def _prepare(self) -> None:
        with self.begin() as connection:
            version = stored_version(connection)
        if version is not None and version > SCHEMA_VERSION:
            raise WarehouseError(
                f"the decisions store has version {version}; this Crosswalk knows version {SCHEMA_VERSION}",
                why="a newer Crosswalk has written it",
                next_step="upgrade Crosswalk, or set CROSSWALK_DATABASE_URL to another database",
            )
        if version != SCHEMA_VERSION:
            with self.begin() as connection:
                upgrade(connection)
        if self._url.get_backend_name() == "sqlite" and self._url.database and Path(self._url.database).is_file():
            Path(self._url.database).chmod(0o600)

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One transaction; raises WarehouseError when the database does not answer."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise WarehouseError(
                f"the decisions store {self._url.render_as_string(hide_password=True)} does not answer",
                why=type(getattr(error, "orig", None) or error).__name__ + ": the database refused or is not there",
                next_step="check CROSSWALK_DATABASE_URL and that the database is running",
            ) from error


def _driver(url: str) -> URL:
    """Return the URL with the PostgreSQL driver we bring; SQLAlchemy's own default is another one."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise SettingsError(
            "CROSSWALK_DATABASE_URL is not a database URL",
            next_step="write it like postgresql://user@host:5432/database or sqlite:////absolute/file.db",
        ) from error
    if parsed.drivername in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg2")
    return parsed


def _engine(url: URL) -> sa.Engine:
    arguments = {"timeout": 30} if url.get_backend_name() == "sqlite" else {}
    try:
        # A steward decides now and then: a connection is opened for each act and never held between two.
        return sa.create_engine(url, poolclass=sa.NullPool, connect_args=arguments)
    except (NoSuchModuleError, ImportError) as error:
        raise SettingsError(
            f"CROSSWALK_DATABASE_URL names a database Crosswalk has no driver for: {url.drivername}",
            next_step="use a postgresql:// or an sqlite:// URL",
        ) from error


def decision_row(
    object_name: str,
    salesforce_id: str,
    reference_id: str,
    judgement: Judgement,
    decided_by: str,
    reason: str | None,
    evidence: Evidence | None,
) -> dict[str, Any]:
    """Return a row of the store, decided now; raises SettingsError for values that cannot be one."""
    if judgement not in JUDGEMENTS:
        raise SettingsError(f"{judgement!r} is not a judgement", why=f"allowed are {', '.join(JUDGEMENTS)}")
    if not (salesforce_id and reference_id and decided_by):
        raise SettingsError("a decision needs a record, a reference entity and who decided")
    return {
        "object": object_name,
        "salesforce_id": salesforce_id,
        "reference_id": reference_id,
        "judgement": judgement,
        "reason": reason,
        "decided_by": decided_by,
        "decided_at": naive(datetime.now(UTC)),
        "evidence": evidence.hash if evidence else None,
        "evidence_record": evidence.record if evidence else None,
        "evidence_entity": evidence.entity if evidence else None,
    }


def add_decision(connection: sa.Connection, row: Mapping[str, Any]) -> Decision:
    """Insert one judgement and return it."""
    key = connection.execute(sa.insert(DECISION).values(dict(row))).inserted_primary_key
    assert key is not None
    return to_decision(connection.execute(sa.select(DECISION).where(DECISION.c.id == key[0])).one())


def take_back(connection: sa.Connection, decision_id: int, at: datetime | None = None) -> bool:
    """Set ``withdrawn_at`` of a judgement in force; False when it is taken back already."""
    change = (
        sa.update(DECISION)
        .where(DECISION.c.id == decision_id, DECISION.c.withdrawn_at.is_(None))
        .values(withdrawn_at=naive(at or datetime.now(UTC)))
    )
    return bool(connection.execute(change).rowcount)


def advance(connection: sa.Connection, row: Mapping[str, Any], act: str, expected: int | None = None) -> bool:
    """Count one more act on the record of ``row``; False where it has not seen ``expected`` acts.

    The first statement of a transaction, so that of two at once the second waits here and then is told.
    """
    record = {"object": row["object"], "salesforce_id": row["salesforce_id"]}
    insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    connection.execute(insert(HEAD).values(record | {"acts": 0}).on_conflict_do_nothing())
    change = sa.update(HEAD).where(*(HEAD.c[name] == value for name, value in record.items()))
    if expected is not None:
        change = change.where(HEAD.c.acts == expected)
    told = {"by_user": row["decided_by"], "at": naive(datetime.now(UTC)), "reference_id": row["reference_id"]}
    return bool(connection.execute(change.values(acts=HEAD.c.acts + 1, act=act, **told)).rowcount)


def naive(moment: datetime | None) -> datetime | None:
    """Return a moment as the store keeps it: UTC without a zone."""
    if moment is None:
        return None
    return (moment.astimezone(UTC) if moment.tzinfo else moment).replace(tzinfo=None)


def aware(moment: datetime | None) -> datetime | None:
    """Return a moment of the store with its zone, UTC."""
    return moment.replace(tzinfo=UTC) if moment else None


def to_decision(row: sa.Row[Any]) -> Decision:
    """Return a row of the table of judgements as a judgement."""
    values = {name: value for name, value in row._mapping.items() if not name.startswith("evidence_")}
    times = {name: aware(values[name]) for name in ("decided_at", "expires_at", "withdrawn_at")}
    return Decision(**(values | times))
