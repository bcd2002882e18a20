"""A job that the org gives up for its size, done in parts: ranges of Ids, each a job of its own and proven by itself.

Ids never change, so a record belongs to one part whatever happens to it while the parts run. A stamp would not do.
"""

from pipelines.extract.jobs import bulk_of, operation_of
from resources.landing import JobPart, LandingFolder, Manifest
from resources.salesforce import SalesforceOrg

#: Parts that a range is cut into, and all parts of a result at most.
WAYS = 4
MOST_PARTS = 64
#: The order of Ids: that of ASCII.
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def split(org: SalesforceOrg, folder: LandingFolder, part: JobPart | None = None) -> bool:
    """Cut the whole job, or one part of it, into narrower parts; False where it cannot be cut any more.

    The outermost parts are open, so that no record can fall outside.
    """
    manifest = folder.manifest
    low, high = (part.above, part.up_to) if part else ("", "")
    first, last = low or _end(org, manifest, "ASC"), high or _end(org, manifest, "DESC")
    cuts = between(first, last, WAYS)
    if not cuts or len(manifest.parts) + WAYS > MOST_PARTS:
        return False
    bounds = [low, *cuts, high]
    where = part.where if part else None
    made = [JobPart(where=where, above=above, up_to=up_to) for above, up_to in zip(bounds, bounds[1:], strict=False)]
    with folder.changing():
        place = manifest.parts.index(part) if part else 0
        # Only the last place may be taken over: pages know their part by its number.
        manifest.parts[place : place + 1] = made[:1]
        manifest.parts += made[1:]
    return True


def submit_parts(org: SalesforceOrg, folder: LandingFolder) -> None:
    """Create the jobs of all parts that have none, before one is awaited."""
    manifest = folder.manifest
    for part in manifest.parts:
        if not part.job_id and part.records is None:
            job = bulk_of(org, manifest).submit(part_soql(manifest, part), operation_of(manifest.purpose))
            with folder.changing():
                part.job_id = job.id


def part_soql(manifest: Manifest, part: JobPart) -> str:
    """Return the query of one part: the folder's condition or its own, and the range."""
    where = manifest.where if part.where is None else part.where
    conditions = [f"({where})"] if where else []
    conditions += [f"Id > '{part.above}'"] if part.above else []
    conditions += [f"Id <= '{part.up_to}'"] if part.up_to else []
    fields = ", ".join(field.name for field in manifest.fields)
    return f"SELECT {fields} FROM {manifest.api_name}" + (f" WHERE {' AND '.join(conditions)}" if conditions else "")


def between(first: str, last: str, ways: int) -> list[str]:
    """Return up to ``ways`` - 1 Ids (15 characters) that cut the range in equal steps; none for too narrow a range."""
    low, high = _number(first), _number(last)
    if high - low < ways:
        return []
    return [_text(low + (high - low) * step // ways, first[:3]) for step in range(1, ways)]


def _end(org: SalesforceOrg, manifest: Manifest, order: str) -> str:
    soql = f"SELECT Id FROM {manifest.api_name} ORDER BY Id {order} LIMIT 1"
    _, records = org.rest.first_page(soql, include_deleted=True)
    return str(records[0]["Id"]) if records else ""


def _number(record_id: str) -> int:
    value = 0
    for character in record_id[3:15]:
        value = value * len(DIGITS) + DIGITS.index(character)
    return value


def _text(number: int, prefix: str) -> str:
    characters = ""
    for _ in range(12):
        number, digit = divmod(number, len(DIGITS))
        characters = DIGITS[digit] + characters
    return prefix + characters
