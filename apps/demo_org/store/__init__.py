"""The demo org's store: a Salesforce org's records, schema, SOQL and record operations over DuckDB.

Entry point: ``OrgStore.load(data_dir, database)``; everything else hangs on the instance.
Does not belong here: HTTP, OAuth, jobs, faults. It shares no code with ``pipelines``.
"""

from apps.demo_org.store.bulk import BulkPage
from apps.demo_org.store.convert import Converted, LeadConvert
from apps.demo_org.store.errors import DataDirectoryError, SObjectError, SoqlError
from apps.demo_org.store.ids import checksum, is_id, make_id, normal_id
from apps.demo_org.store.load import LoadIssue
from apps.demo_org.store.query import Query, ResultColumn
from apps.demo_org.store.schema import EVERYTHING, Field, ObjectType, Visibility
from apps.demo_org.store.store import OrgStore

__all__ = [
    "EVERYTHING",
    "BulkPage",
    "Converted",
    "DataDirectoryError",
    "Field",
    "LeadConvert",
    "LoadIssue",
    "ObjectType",
    "OrgStore",
    "Query",
    "ResultColumn",
    "SObjectError",
    "SoqlError",
    "Visibility",
    "checksum",
    "is_id",
    "make_id",
    "normal_id",
]
