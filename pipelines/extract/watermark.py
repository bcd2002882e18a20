"""Up to where a job covers its object, and from where the next delta must look: bounds by the org's own clock.

Keeping the watermark is ``pipelines.extract.state``; the SOQL of the bounds is ``pipelines.extract.plan``.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.extract.state import Watermark
from resources.salesforce import SalesforceOrg

#: What was committed this long before a job was submitted is taken for visible, where the org does not tell.
LAG = timedelta(minutes=5)
#: The Date header is up to a second old, and a request takes its time: less than this is no change of a clock.
CLOCK_NOISE = timedelta(minutes=1)


@dataclass(frozen=True)
class Coverage:
    """The upper bound of a job and the watermark it earns.

    ``until`` is the org's time before the job; ``covered`` what is complete up to then: the start of the oldest open
    transaction where the org tells (``by_org``), and ``LAG`` before ``until`` at the latest. ``clock_offset`` is the
    org's clock minus ours, in seconds.
    """

    until: datetime
    covered: datetime
    by_org: bool = False
    clock_offset: float = 0.0


def coverage(org: SalesforceOrg, api: str) -> Coverage:
    """Ask the org how far its changes are complete; one call, to be made before the job is created.

    Asked afterwards, a transaction could commit in between whose rows the job had not seen.
    """
    until = org.server_time()
    told = org.replication.latest_date_covered(api, until)
    covered = until - LAG if told is None else min(told, until - LAG)
    return Coverage(until, covered, told is not None, until.timestamp() - time.time())


def lower_bound(mark: Watermark, now: Coverage, overlap: timedelta) -> datetime:
    """Return from where a delta must look.

    Where the org's clock was set back since the last load, records changed since then carry stamps that lie as far
    before the watermark as the clock moved.
    """
    set_back = timedelta(seconds=mark.clock_offset - now.clock_offset)
    return mark.covered_until - overlap - (set_back if set_back > CLOCK_NOISE else timedelta(0))


def advanced(previous: Watermark | None, mark: Watermark, until: datetime, *, by_org: bool) -> datetime:
    """Return where the watermark stands after a load: never before where it stood, with two exceptions.

    Another selection begins anew. And the org may name a transaction that has been open for longer than the watermark
    knew: its records are still to come with earlier stamps.
    """
    if previous is None or previous.selection_key != mark.selection_key:
        return mark.covered_until
    if by_org and until > previous.covered_until:
        return mark.covered_until
    return max(previous.covered_until, mark.covered_until)
