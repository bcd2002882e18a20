"""The tables of the decisions store and how an older store is brought up to them; no row is read or written here."""

import sqlalchemy as sa

SCHEMA_VERSION = 4

METADATA = sa.MetaData()
# Times are UTC without a zone, so that both databases keep the same value.
DECISION = sa.Table(
    "crosswalk_decision",
    METADATA,
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
    sa.Column("evidence", sa.String(64)),
    sa.Column("evidence_record", sa.Text),
    sa.Column("evidence_entity", sa.Text),
    sa.Column("bulk_id", sa.Integer),
    sa.Index("crosswalk_decision_pair", "object", "salesforce_id", "reference_id"),
)
#: What is compared when somebody decides: how many acts (judgements and withdrawals) a record has seen, and the last.
HEAD = sa.Table(
    "crosswalk_decision_head",
    METADATA,
    sa.Column("object", sa.String(40), primary_key=True),
    sa.Column("salesforce_id", sa.String(18), primary_key=True),
    sa.Column("acts", sa.Integer, nullable=False),
    sa.Column("by_user", sa.Text),
    sa.Column("at", sa.DateTime),
    sa.Column("act", sa.String(12)),
    sa.Column("reference_id", sa.Text),
)
#: Proposals that were decided: what becomes an entity of origin ``created``, and what does not.
CREATION = sa.Table(
    "crosswalk_creation",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("object", sa.String(40), nullable=False),
    sa.Column("salesforce_id", sa.String(18), nullable=False),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("reference_id", sa.Text, nullable=False),
    sa.Column("status", sa.String(8), nullable=False),
    sa.Column("values_json", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("decided_at", sa.DateTime, nullable=False),
    sa.Column("decision_id", sa.Integer),
    sa.Column("withdrawn_at", sa.DateTime),
    sa.Index("crosswalk_creation_record", "object", "salesforce_id"),
)
BULK = sa.Table(
    "crosswalk_bulk",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("object", sa.String(40), nullable=False),
    sa.Column("threshold", sa.Float, nullable=False),
    sa.Column("pairs", sa.Integer, nullable=False),
    sa.Column("sample_json", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", sa.DateTime, nullable=False),
    sa.Column("applied_by", sa.Text),
    sa.Column("applied_at", sa.DateTime),
)
#: Which user of the organisation a CRM user is: every version of that, the highest in force. Since version 3.
USER_MAPPING = sa.Table(
    "crosswalk_user_mapping",
    METADATA,
    sa.Column("salesforce_id", sa.String(18), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("act", sa.String(10), nullable=False),
    sa.Column("own_id", sa.Text),
    sa.Column("method", sa.String(10)),
    sa.Column("reason", sa.Text),
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("decided_at", sa.DateTime, nullable=False),
)
#: What somebody asked to be imported again, and the run that did. Without a record: the whole object. Since version 4.
REIMPORT = sa.Table(
    "crosswalk_reimport",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("object", sa.String(40), nullable=False),
    sa.Column("salesforce_id", sa.String(18)),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", sa.DateTime, nullable=False),
    sa.Column("run_id", sa.Text),
    sa.Column("served_at", sa.DateTime),
    sa.Index("crosswalk_reimport_record", "object", "salesforce_id"),
)
AUDIT = sa.Table(
    "crosswalk_audit",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("by_user", sa.Text, nullable=False),
    sa.Column("action", sa.String(40), nullable=False),
    sa.Column("object", sa.String(40)),
    sa.Column("salesforce_id", sa.String(18)),
    sa.Column("reference_id", sa.Text),
    sa.Column("detail", sa.Text),
    sa.Index("crosswalk_audit_record", "object", "salesforce_id"),
)
VERSION = sa.Table("crosswalk_decision_schema", METADATA, sa.Column("version", sa.Integer, primary_key=True))

_ADDED_IN_2 = ("evidence", "evidence_record", "evidence_entity", "bulk_id")


def stored_version(connection: sa.Connection) -> int | None:
    """Return the version the store was written in, None for an empty database."""
    if not sa.inspect(connection).has_table(VERSION.name):
        return None
    version: int | None = connection.execute(sa.select(sa.func.max(VERSION.c.version))).scalar()
    return version


def upgrade(connection: sa.Connection) -> None:
    """Make the tables, or bring those of an earlier version up to this one; the caller commits.

    Two processes may open a new store at once: the second waits, and finds nothing left to do.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('crosswalk_decision'))"))
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    version = stored_version(connection)
    METADATA.create_all(connection)
    if version == 1:
        for name in _ADDED_IN_2:
            column = sa.schema.CreateColumn(DECISION.c[name]).compile(connection)
            connection.execute(sa.text(f"ALTER TABLE {DECISION.name} ADD COLUMN {column}"))
        acts = sa.select(DECISION.c.object, DECISION.c.salesforce_id, sa.func.count()).group_by(
            DECISION.c.object, DECISION.c.salesforce_id
        )
        connection.execute(sa.insert(HEAD).from_select(["object", "salesforce_id", "acts"], acts))
    if version is None or version < SCHEMA_VERSION:
        connection.execute(sa.insert(VERSION).values(version=SCHEMA_VERSION))
