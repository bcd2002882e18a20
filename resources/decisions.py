"""The decisions store: what people judged about a record and a reference entity, in a small SQL database.

SQLite in the home, or PostgreSQL for a team; never the DuckDB file, which can be rebuilt while this cannot.
Rows are only added; taking one back sets ``withdrawn_at`` once. What a decision does to a link is
``pipelines.resolve``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, cast

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from data_contracts.errors import SettingsError, WarehouseError

Judgement = Literal["positive", "negative", "unsure"]
JUDGEMENTS: tuple[Judgement, ...] = ("positive", "negative", "unsure")
SCHEMA_VERSION = 1

_METADATA = sa.MetaData()
# Times are UTC without a zone, so that both databases keep the same value.
_DECISION = sa.Table(
    "crosswalk_decision",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("object", sa.String(40), nullable=False),
    sa.Column("salesforce_id", sa.String(18), nullable=False),
    sa.Column("reference_id", sa.Text, nullable=False),
    sa.Column("judgement", sa.String(8), nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("decided_at", sa.DateTime, nullable=False),
    sa.Column("expires_at", sa.DateTime),
    sa.Column("withdrawn_at", sa.DateTime),
    sa.Index("crosswalk_decision_pair", "object", "salesforce_id", "reference_id"),
)
_VERSION = sa.Table("crosswalk_decision_schema", _METADATA, sa.Column("version", sa.Integer, primary_key=True))

ARROW_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("object", "salesforce_id", "reference_id", "judgement", "reason")),
        ("decided_by", pa.string()),
        *((name, pa.timestamp("us")) for name in ("decided_at", "expires_at", "withdrawn_at")),
    ]
)


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
    ) -> Decision:
        """Add one judgement and return it; a later one on the same pair takes its place when replayed."""
        if judgement not in JUDGEMENTS:
            raise SettingsError(f"{judgement!r} is not a judgement", why=f"allowed are {', '.join(JUDGEMENTS)}")
        if not (salesforce_id and reference_id and decided_by):
            raise SettingsError("a decision needs a record, a reference entity and who decided")
        row = {
            "object": object_name,
            "salesforce_id": salesforce_id,
            "reference_id": reference_id,
            "judgement": judgement,
            "reason": reason,
            "decided_by": decided_by,
            "decided_at": _naive(decided_at or datetime.now(UTC)),
            "expires_at": _naive(expires_at),
        }
        with self._begin() as connection:
            key = connection.execute(sa.insert(_DECISION).values(row)).inserted_primary_key
            assert key is not None
            found = connection.execute(sa.select(_DECISION).where(_DECISION.c.id == key[0])).one()
        return _decision(found)

    def withdraw(self, decision_id: int, *, at: datetime | None = None) -> bool:
        """Take a judgement back; False when there is none of this id or it was taken back before."""
        change = (
            sa.update(_DECISION)
            .where(_DECISION.c.id == decision_id, _DECISION.c.withdrawn_at.is_(None))
            .values(withdrawn_at=_naive(at or datetime.now(UTC)))
        )
        with self._begin() as connection:
            return bool(connection.execute(change).rowcount)

    def decisions(self, object_name: str | None = None, salesforce_id: str | None = None) -> tuple[Decision, ...]:
        """Return the judgements in the order they were made, of one object or record if asked."""
        query = sa.select(_DECISION).order_by(_DECISION.c.id)
        if object_name is not None:
            query = query.where(_DECISION.c.object == object_name)
        if salesforce_id is not None:
            query = query.where(_DECISION.c.salesforce_id == salesforce_id)
        with self._begin() as connection:
            return tuple(_decision(row) for row in connection.execute(query))

    def export_arrow(self) -> pa.Table:
        """Return every judgement with the columns of ``match.decision``, in the order they were made."""
        columns = [_DECISION.c[name] for name in ARROW_SCHEMA.names]
        with self._begin() as connection:
            rows = connection.execute(sa.select(*columns).order_by(_DECISION.c.id)).mappings().all()
        return pa.Table.from_pylist([dict(row) for row in rows], schema=ARROW_SCHEMA)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def _prepare(self) -> None:
        with self._begin() as connection:
            # Two processes may open a new PostgreSQL store at once; the second waits and finds the tables.
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('crosswalk_decision'))"))
            _METADATA.create_all(connection)
            version = connection.execute(sa.select(sa.func.max(_VERSION.c.version))).scalar()
            if version is None:
                connection.execute(sa.insert(_VERSION).values(version=SCHEMA_VERSION))
        if version is not None and version > SCHEMA_VERSION:
            raise WarehouseError(
                f"the decisions store has version {version}; this Crosswalk knows version {SCHEMA_VERSION}",
                why="a newer Crosswalk has written it",
                next_step="upgrade Crosswalk, or set CROSSWALK_DATABASE_URL to another database",
            )
        if self._url.get_backend_name() == "sqlite" and self._url.database and Path(self._url.database).is_file():
            Path(self._url.database).chmod(0o600)

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
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


def _naive(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return (moment.astimezone(UTC) if moment.tzinfo else moment).replace(tzinfo=None)


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


def _decision(row: sa.Row[tuple[object, ...]]) -> Decision:
    values = dict(row._mapping)
    times = {name: _aware(values[name]) for name in ("decided_at", "expires_at", "withdrawn_at")}
    return Decision(**cast(dict[str, object], values | times))  # type: ignore[arg-type]
