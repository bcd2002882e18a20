"""Creating Bulk jobs so that a kill leaves none behind unknown, and finding those an earlier run left.

The manifest says "submitting" before the request goes out. Waiting for a job is ``pipelines.extract.download``.
"""

from datetime import UTC, datetime, timedelta

from data_contracts.errors import OrgUnreachableError, SalesforceError
from resources.home import Home
from resources.landing import LandingFolder, Manifest, folders
from resources.salesforce import SalesforceOrg
from resources.salesforce.bulk import BulkApi, BulkJob, Operation

#: What the org answers where the object or the edition has no Bulk API.
NO_BULK = frozenset({"INVALIDENTITY", "INVALID_ENTITY", "FEATURENOTENABLED", "FUNCTIONALITY_NOT_ENABLED"})
#: A delta, and Ids, are cheap to ask for again, and old ones say little about now.
CHEAP_LIFETIME = timedelta(hours=12)
#: A full job killed by the end of one night's window is taken up the next; results as old as a week are asked anew.
FULL_LIFETIME = timedelta(days=3)
#: A job that has not ended after this is stuck: it is asked for again, and an admin may abort the old one.
STUCK_AFTER = timedelta(hours=24)
#: A job that a lost request created was created within this time of the attempt, by the org's clock.
ADOPTION = timedelta(minutes=10)


def operation_of(purpose: str) -> Operation:
    """Return the query operation: records include deleted ones, ids are those of live records."""
    return "queryAll" if purpose == "records" else "query"


def lacks_bulk(error: SalesforceError) -> bool:
    """Whether the org says that this object or this edition has no Bulk API; its rows come by REST then."""
    return error.code.upper() in NO_BULK or "not supported by the bulk api" in str(error).lower()


def bulk_of(org: SalesforceOrg, manifest: Manifest) -> BulkApi:
    """Return the Bulk API in the version the job was created with: another one is answered 409."""
    same = manifest.api_version == org.api_version
    return org.bulk if same else BulkApi(org.session, manifest.api_version)


def start_job(org: SalesforceOrg, folder: LandingFolder) -> None:
    """Create the folder's job, having said so on disk before, and note its id.

    Where the answer is lost, the job is looked for among those the org lists, and asked for once more where none can
    be it: at worst the org works on one that nobody reads. Raises SalesforceError when refused.
    """
    with folder.changing() as manifest:
        manifest.submitting = org.server_time()
    bulk, operation = bulk_of(org, manifest), operation_of(manifest.purpose)
    try:
        job = bulk.submit(manifest.soql, operation)
    except OrgUnreachableError:
        job = orphan(org, folder) or bulk.submit(manifest.soql, operation)
    with folder.changing() as manifest:
        manifest.job_id, manifest.submitting = job.id, None


def submit_or_rest(org: SalesforceOrg, folder: LandingFolder) -> None:
    """Create the folder's job, or leave its rows to REST where this object or org has no Bulk API."""
    try:
        start_job(org, folder)
    except SalesforceError as error:
        if not lacks_bulk(error):
            raise
        with folder.changing() as manifest:
            manifest.transport, manifest.submitting = "rest", None
            manifest.note = f"no Bulk API for {manifest.api_name} here ({error.code}): its rows come by REST"


def orphan(org: SalesforceOrg, folder: LandingFolder) -> BulkJob | None:
    """Return the job that a lost request of this folder created; None unless exactly one can be it.

    The org does not tell a job's query. That columns and rows are those asked for is proven when they are loaded, as
    with every job. A job that may be somebody else's is left alone.
    """
    manifest = folder.manifest
    if manifest.submitting is None:
        return None
    known = {other.manifest.job_id for other in folders(folder.path.parent.parent, manifest.object)}
    jobs = [job for job in bulk_of(org, manifest).recent() if job.id not in known and _may_be(org, manifest, job)]
    return jobs[0] if len(jobs) == 1 else None


def _may_be(org: SalesforceOrg, manifest: Manifest, job: BulkJob) -> bool:
    if manifest.submitting is None or job.created_at is None:
        return False
    waited = job.created_at.astimezone(UTC) - manifest.submitting
    return (
        job.object.lower() == manifest.api_name.lower()
        and job.operation == operation_of(manifest.purpose)
        and job.created_by[:15] == org.identity().user_id[:15]
        and job.api_version == str(float(manifest.api_version))
        and job.state not in ("Failed", "Aborted")
        and timedelta(seconds=-1) <= waited <= ADOPTION
    )


def pending(
    org: SalesforceOrg, home: Home, object_name: str, key: str, covered_until: datetime | None, now: datetime
) -> LandingFolder | None:
    """Return an unloaded folder with the same query, unless something newer was loaded since or its job is gone.

    ``covered_until`` is the object's watermark. A folder whose job never got an id adopts it, if the org has it.
    """
    for folder in folders(home.landing, object_name):
        manifest = folder.manifest
        if manifest.loaded_at or manifest.abandoned or manifest.match_key != key:
            continue
        cheap = manifest.kind == "delta" or manifest.purpose == "ids"
        lifetime = CHEAP_LIFETIME if cheap else FULL_LIFETIME
        if now - manifest.created_at >= lifetime or (covered_until and manifest.until <= covered_until):
            continue
        if _usable(org, folder):
            folder.drop_damaged_pages()
            return folder
        folder.abandon("its job is gone, is stuck, or never came to be")
    return None


def _usable(org: SalesforceOrg, folder: LandingFolder) -> bool:
    manifest = folder.manifest
    if manifest.transport == "rest":
        # Pages by Id go on where they stopped; "no rows" may be long out of date.
        return bool(manifest.pages)
    if manifest.parts or (manifest.complete and manifest.records):
        return True
    if manifest.submitting and (found := orphan(org, folder)):
        with folder.changing():
            manifest.job_id, manifest.submitting = found.id, None
        return True
    return bool(manifest.job_id) and _is_alive(org, manifest)


def _is_alive(org: SalesforceOrg, manifest: Manifest) -> bool:
    try:
        job = bulk_of(org, manifest).status(manifest.job_id)
    except SalesforceError as error:
        if error.status in (404, 409):
            return False
        raise
    if not job.finished and datetime.now(UTC) - manifest.created_at >= STUCK_AFTER:
        return False
    # One that failed for its size is split when it is downloaded, and not asked for in the same way again.
    return job.state not in ("Failed", "Aborted") or job.too_large
