"""A field that goes while its object is read: the describe is read again, and the job goes on without the field.

Nothing is written to the warehouse here: the next describe records the change, and the column keeps its last values.
Before a job is created the same is done in ``pipelines.extract.submit``.
"""

from collections.abc import Collection

from data_contracts.errors import CrosswalkError, ExtractionError, SalesforceError
from pipelines.extract.drift import GONE
from pipelines.extract.fields import field_specs
from pipelines.extract.plan import soql_of
from resources.landing import LandingFolder
from resources.salesforce import SalesforceOrg

#: How Salesforce says in an answer, or in the message of a failed job, that it does not know a field of the query.
UNKNOWN_FIELD = ("INVALID_FIELD", "No such column")


def speaks_of_a_field(error: CrosswalkError) -> bool:
    """Whether the org refused a query, or gave a job up, because of a field it does not know."""
    code = error.code if isinstance(error, SalesforceError) else ""
    return code == UNKNOWN_FIELD[0] or any(words in error.what for words in UNKNOWN_FIELD)


def leave_out(org: SalesforceOrg, folder: LandingFolder, needed: Collection[str]) -> list[str]:
    """Take the fields that the org no longer shows out of a landing job and forget its pages; return their names.

    Empty where all are there: then the field was not the cause. Raises ExtractionError for a field among ``needed``.
    """
    manifest = folder.manifest
    present = {spec.name.lower() for spec in field_specs(org.describe(manifest.api_name))}
    gone = [field.name for field in manifest.fields if field.name.lower() not in present]
    relied_on = {name.lower() for name in needed}
    if stopped := [name for name in gone if name.lower() in relied_on]:
        folder.abandon("a field that is needed went while the object was read")
        raise ExtractionError(
            f"{manifest.api_name}.{stopped[0]} went while the object was read, and a match key, a filter or a "
            "contract relies on it",
            why=GONE,
            next_step=f"restore it or make it readable, then run: crosswalk sync --object {manifest.object}",
        )
    if gone:
        kept = [field for field in manifest.fields if field.name not in gone]
        with folder.changing():
            where = manifest.where
            manifest.fields = kept
            manifest.soql = soql_of([field.name for field in kept], manifest.api_name, [where])
            manifest.pages, manifest.records, manifest.job_id = [], None, ""
            for part in manifest.parts:
                part.job_id, part.records = "", None
    return gone
