"""One alarm, and what each kind of it says; the contract of ``ops.alarm`` has the same kinds."""

from dataclasses import dataclass
from typing import Literal

Code = Literal[
    "no_data_changed",
    "link_rate_fell",
    "many_removed",
    "fill_rate_fell",
    "schema_drift",
    "window_missed",
    "quota_paused",
    "run_failed",
]

CODES: dict[Code, str] = {
    "no_data_changed": "No record of a matched object changed, or nothing was published, for alerts.stale_after_days.",
    "link_rate_fell": "The link rate is below the best of the seven runs before by more than alerts.link_rate_drop.",
    "many_removed": "A run found more than alerts.removed_share of an object's records removed or deleted.",
    "fill_rate_fell": "A matching field is filled less than in the best of the seven runs before, by more than "
    "alerts.fill_rate_drop.",
    "schema_drift": "A field that a mapping, a match key or a contract needs was removed, hidden or changed.",
    "window_missed": "A night for which a run was planned is over, and nothing was published since.",
    "quota_paused": "A run paused because the org's API requests, or our share of them, were used up.",
    "run_failed": "A scheduled run failed.",
}
"""What each alarm says."""

EVERYTHING = "*"
"""Object of an alarm about all of them; subject of one about no field."""


@dataclass(frozen=True)
class Alarm:
    """Something that is wrong now. ``message`` is for people and holds no personal data.

    ``measured`` and ``threshold`` are days or shares, where there are any.
    """

    code: Code
    message: str
    object: str = EVERYTHING
    subject: str = EVERYTHING
    measured: float | None = None
    threshold: float | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same alarm as one that is on already."""
        return (self.code, self.object, self.subject)
