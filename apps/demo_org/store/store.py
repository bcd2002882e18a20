"""The org as one object: load it, describe it, query it, change it.

Belongs here: opening the database and the public methods. Not here: how any of them works.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import WeakSet

import duckdb

from apps.demo_org.store import files
from apps.demo_org.store import load as loading
from apps.demo_org.store.authorization import PERMISSION_OBJECTS, check_write
from apps.demo_org.store.bulk import BULK_MACROS, BulkPage, PageFormat, write_pages
from apps.demo_org.store.changes import Changes
from apps.demo_org.store.describe import describe_global, describe_object
from apps.demo_org.store.errors import SObjectError, SoqlError
from apps.demo_org.store.field_changes import FieldChanges
from apps.demo_org.store.field_file import add_calculated_fields, add_stored_fields, read_fields
from apps.demo_org.store.ids import ID_MACROS
from apps.demo_org.store.organization import (
    ensure_organization,
    ensure_picklist_objects,
    ensure_user,
    storage_megabytes,
)
from apps.demo_org.store.permission_sets import ensure_permissions
from apps.demo_org.store.query import Query
from apps.demo_org.store.records import Records
from apps.demo_org.store.replication import DELETE_LOG_DDL, Replication
from apps.demo_org.store.schema import EVERYTHING, ObjectType, Visibility
from apps.demo_org.store.soql.compiler import Compiler, refuse_bulk
from apps.demo_org.store.soql.parser import parse
from apps.demo_org.store.soql.scope import Context
from apps.demo_org.store.text import literal
from apps.demo_org.store.transactions import Transactions
from apps.demo_org.store.validation import checked_id


def utc_now() -> datetime:
    """The clock of a running org."""
    return datetime.now(UTC)


class OrgStore(FieldChanges):
    """One org. Every method may be called from any thread; reads never wait for writes."""

    def __init__(self, database: Path, clock: Callable[[], datetime]) -> None:
        self._database = duckdb.connect(str(database))
        self._cursors: WeakSet[duckdb.DuckDBPyConnection] = WeakSet()
        self._clock = clock
        self._database.execute("SET GLOBAL TimeZone = 'UTC'").fetchall()
        self._run_all(ID_MACROS + BULK_MACROS)
        self.objects: dict[str, ObjectType] = {}
        self.load_report: list[loading.LoadIssue] = []
        #: What a caller that names no visibility of its own sees.
        self.visibility: Visibility = EVERYTHING
        self.default_user_id, self.org_id = loading.DEFAULT_USER_ID, loading.DEFAULT_ORG_ID
        self.host = "https://localhost"
        #: What a user may see and do, by id; None where nobody is restricted.
        self.access: Callable[[str], Visibility] | None = None
        #: Grows with every change of users, profiles, permissions or fields.
        self.permission_changes = 0
        #: The open long transactions, and getUpdated and getDeleted.
        self.transactions: Transactions
        self.replication: Replication
        #: Merges, conversions and other changes beyond one record.
        self.changes = Changes(lambda: self._records, self._authorized, self.default_user_id)

    @classmethod
    def load(cls, data_dir: Path | None, database: Path, *, clock: Callable[[], datetime] = utc_now) -> "OrgStore":
        """Restore a data directory (None: an empty org) into a new database file.

        Raises DataDirectoryError for a directory or file that cannot be read. Values of the wrong type are
        null afterwards and counted in ``load_report``.
        """
        database.unlink(missing_ok=True)
        store = cls(database, clock)
        try:
            store._restore(data_dir)
        except BaseException:
            store.close()
            raise
        return store

    def _restore(self, data_dir: Path | None) -> None:
        files = loading.find_files(data_dir) if data_dir is not None else {}
        self.objects = loading.build_schema(files)
        defined = read_fields(data_dir)
        add_stored_fields(self.objects, defined)
        for name in files:
            self.load_report += loading.restore(self._database, self.objects[name], files[name])
        self._run_all(loading.table_ddl(kind) for name, kind in self.objects.items() if name not in files)
        add_calculated_fields(self.objects, defined, self._clock)
        # One write to disk for the rows every org has.
        self._database.execute("BEGIN TRANSACTION").fetchall()
        ensure_user(self._database, self.objects)
        ensure_picklist_objects(self._database, self.objects)
        ensure_permissions(self._database, self.objects)
        self.org_id = ensure_organization(self._database, self.objects)
        self._database.execute("COMMIT").fetchall()
        self._run_all([DELETE_LOG_DDL])
        self._database.execute("CHECKPOINT").fetchall()
        committed = Records(self.cursor, self.objects, self._clock)
        self.transactions = Transactions(committed, self._clock)
        self.replication = Replication(self.cursor, self._clock, committed.lock, self.transactions.oldest_start)

    def _run_all(self, statements: Iterable[str]) -> None:
        """Run statements in one transaction: one write to disk instead of one each."""
        for sql in ("BEGIN TRANSACTION", *statements, "COMMIT"):
            self._database.execute(sql).fetchall()

    def close(self) -> None:
        """Close the database; nothing may be called afterwards."""
        self._database.close()

    @property
    def _records(self) -> Records:
        return self.transactions.records()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A new connection to the org's database, for the caller's thread alone."""
        cursor = self._database.cursor()
        self._cursors.add(cursor)
        return cursor

    def interrupt(self) -> None:
        """Break off every statement that is running (the process is about to end)."""
        for cursor in list(self._cursors):
            cursor.interrupt()

    # -- schema

    def object_type(self, name: str, visibility: Visibility | None = None) -> ObjectType:
        """The object of that name in any case; NOT_FOUND where there is none or it is hidden."""
        seen = self.visibility if visibility is None else visibility
        for known, kind in self.objects.items():
            if known.lower() == name.lower() and seen.sees(known):
                return kind
        raise SObjectError(404, "NOT_FOUND", "The requested resource does not exist")

    def describe_global(self, version: str = "v66.0", visibility: Visibility | None = None) -> dict[str, Any]:
        """Body of ``/sobjects``."""
        return describe_global(self.objects, version, self.visibility if visibility is None else visibility)

    def describe(self, name: str, version: str = "v66.0", visibility: Visibility | None = None) -> dict[str, Any]:
        """Body of ``/sobjects/X/describe``."""
        seen = self.visibility if visibility is None else visibility
        return describe_object(self.object_type(name, seen), version, seen, self.host)

    # -- queries

    def query(
        self,
        soql: str,
        *,
        include_deleted: bool = False,
        bulk: bool = False,
        visibility: Visibility | None = None,
        user: str | None = None,
    ) -> Query:
        """Parse and compile SOQL; SoqlError with Salesforce's code and message where it is refused."""
        seen = self.visibility if visibility is None else visibility
        context = Context(self.objects, seen, user or self.default_user_id, self._clock(), soql, include_deleted)
        try:
            tree = parse(soql)
            compiled = Compiler(context).compile(tree)
        except RecursionError:
            raise SoqlError(
                "QUERY_TOO_COMPLICATED",
                "Query is either selecting too many fields or the filter conditions are too complicated.",
            ) from None
        if bulk:
            refuse_bulk(tree, compiled)
        return Query(compiled, self.transactions.connect, self._owner_of)

    def check_bulk(
        self,
        soql: str,
        *,
        include_deleted: bool = False,
        visibility: Visibility | None = None,
        user: str | None = None,
    ) -> Query:
        """Compile SOQL for a Bulk query whose result is CSV, without running it."""
        found = self.query(soql, include_deleted=include_deleted, bulk=True, visibility=visibility, user=user)
        if any(column.branches for column in found.columns):
            raise SoqlError("FUNCTIONALITY_NOT_ENABLED", "TYPEOF not supported in Bulk Query")
        return found

    def write_bulk_csv(
        self,
        soql: str,
        folder: Path,
        *,
        include_deleted: bool = False,
        page_rows: int = 100_000,
        gzip_level: int | None = None,
        line_ending: str = "LF",
        visibility: Visibility | None = None,
        user: str | None = None,
    ) -> list[BulkPage]:
        """Write a Bulk query's result pages into a folder without holding them in memory; see ``bulk.write_pages``."""
        query = self.check_bulk(soql, include_deleted=include_deleted, visibility=visibility, user=user)
        form = PageFormat(page_rows, gzip_level, line_ending)
        return write_pages(self.cursor, query.compiled, folder, form, self._records.lock)

    def count(self, object_name: str, *, include_deleted: bool = False) -> int:
        """Records of an object."""
        query = self.query(f"SELECT COUNT() FROM {object_name}", include_deleted=include_deleted, visibility=EVERYTHING)
        try:
            return query.total()
        finally:
            query.close()

    def storage_megabytes(self) -> float:
        """Data storage used, in Salesforce's count."""
        cursor = self.cursor()
        try:
            return storage_megabytes(cursor, self.objects)
        finally:
            cursor.close()

    def now(self) -> datetime:
        """The org's time."""
        return self._clock()

    def _owner_of(self, record_id: str) -> str | None:
        """API name of the object an id belongs to."""
        return next((n for n, kind in self.objects.items() if kind.key_prefix == record_id[:3]), None)

    # -- records

    def get(
        self,
        object_name: str,
        record_id: str,
        fields: list[str] | None = None,
        *,
        version: str = "v66.0",
        visibility: Visibility | None = None,
    ) -> dict[str, Any]:
        """One record in REST shape; every visible field, or the named ones."""
        seen = self.visibility if visibility is None else visibility
        kind = self.object_type(object_name, seen)
        found_id = checked_id(kind, record_id)
        chosen = fields or [name for name in kind.fields if seen.sees(kind.name, name)]
        extra = ", IsDeleted" if kind.find("IsDeleted") and "isdeleted" not in [c.lower() for c in chosen] else ""
        soql = f"SELECT {', '.join(chosen)}{extra} FROM {kind.name} WHERE Id = {literal(found_id)}"
        query = self.query(soql, include_deleted=True, visibility=seen)
        try:
            records = query.records(0, 1, version)
        finally:
            query.close()
        if not records:
            raise SObjectError(404, "NOT_FOUND", "The requested resource does not exist")
        if records[0].get("IsDeleted"):
            raise SObjectError(404, "ENTITY_IS_DELETED", "entity is deleted", [])
        if extra:
            del records[0]["IsDeleted"]
        return records[0]

    def file_content(self, record_id: str, visibility: Visibility) -> bytes:
        """The bytes of a file that is not deleted; SObjectError where there is none."""
        found_id = self.get(files.OBJECT, record_id, ["Id"], visibility=visibility)["Id"]
        query = self.query(f"SELECT {files.FIELD} FROM {files.OBJECT} WHERE Id = {literal(found_id)}")
        return files.content_of(str(next(query.batches(1))[0][0]))

    def _authorized(
        self, user: str | None, operation: str, object_name: str, values: Mapping[str, Any] | None = None
    ) -> ObjectType:
        """The object, once the user may do this to its records; the org itself (None) may do everything."""
        seen = self.access(user) if user is not None and self.access is not None else EVERYTHING
        kind = self.object_type(object_name, seen)
        check_write(seen, kind, operation, values or {})
        return kind

    def changed(self, object_name: str) -> None:
        """Note that what users may do may be something else from now on, where the object says so."""
        if object_name in PERMISSION_OBJECTS:
            self._note_permissions()
            self.transactions.afterwards(self._note_permissions)

    def _note_permissions(self) -> None:
        self.permission_changes += 1

    def create(self, object_name: str, values: Mapping[str, Any], user: str | None = None) -> str:
        """Save a new record; its 18-character id."""
        kind = self._authorized(user, "create", object_name, values)
        made = self._records.create(kind, values, user or self.default_user_id)
        self.changed(kind.name)
        return made

    def add_record(self, object_name: str, values: Mapping[str, Any], user: str) -> str:
        """Save a record that the org makes itself, such as a report, unvalidated; its 18-character id."""
        return self._records.add(self.object_type(object_name, EVERYTHING), values, user)

    def update(self, object_name: str, record_id: str, values: Mapping[str, Any], user: str | None = None) -> None:
        """Change a record."""
        kind = self._authorized(user, "edit", object_name, values)
        self._records.update(kind, record_id, values, user or self.default_user_id)
        self.changed(kind.name)

    def delete(self, object_name: str, record_id: str, user: str | None = None) -> None:
        """Move a record, with its details, to the recycle bin."""
        kind = self._authorized(user, "delete", object_name)
        self._records.delete(kind, record_id, user or self.default_user_id)
        self.changed(kind.name)

    def undelete(self, object_name: str, record_id: str, user: str | None = None) -> None:
        """Bring a record back from the recycle bin."""
        self._records.undelete(self.object_type(object_name), record_id, user or self.default_user_id)
        self.changed(object_name)

    def hard_delete(self, object_name: str, record_id: str) -> None:
        """Remove a record for good."""
        self._records.hard_delete(self.object_type(object_name), record_id)
        self.changed(object_name)

    def upsert(
        self, object_name: str, external_field: str, value: str, values: Mapping[str, Any], user: str | None = None
    ) -> tuple[str, bool]:
        """Update by external id or create; the id and whether it is new."""
        found = self._records.matches(self.object_type(object_name), external_field, value)
        kind = self._authorized(user, "edit" if found else "create", object_name, values)
        saved = self._records.upsert(kind, external_field, value, values, user or self.default_user_id)
        self.changed(kind.name)
        return saved

    def update_where(self, object_name: str, where: str, values: Mapping[str, Any], *, stamp: bool = True) -> int:
        """Set values on all records a SOQL condition selects, unvalidated; how many.

        ``stamp`` False leaves SystemModstamp, as a formula field does when what it reads changes.
        """
        kind = self.object_type(object_name, EVERYTHING)
        query = self.query(f"SELECT Id FROM {kind.name} WHERE {where}", include_deleted=True, visibility=EVERYTHING)
        ids = [row[0] for batch in query.batches(10_000) for row in batch]
        named = {f.name: v for n, v in values.items() if (f := kind.find(n)) and f.compute is None}
        self._records.change(kind, ids, named, stamp=stamp)
        self.changed(kind.name)
        return len(ids)
