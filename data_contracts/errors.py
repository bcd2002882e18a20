"""The errors a user may meet: what happened, which value, why, and what to run next.

Every foreseeable failure is one of these; the command line prints ``str(error)`` and no stack trace.
A message never carries a secret or a value of a personal record.
"""


class CrosswalkError(Exception):
    """A foreseeable failure.

    ``what`` says what happened and names the offending value, ``why`` the reason,
    ``next_step`` the command to run or the setting to change.
    """

    #: Worth trying again unchanged (a dropped connection), unlike a terminal error (a wrong secret).
    transient = False
    #: What the command line exits with.
    exit_code = 1

    def __init__(self, what: str, *, why: str = "", next_step: str = "") -> None:
        self.what, self.why, self.next_step = what, why, next_step
        super().__init__(what)

    def __str__(self) -> str:
        parts = [self.what]
        if self.why:
            parts.append(f"Why: {self.why}")
        if self.next_step:
            parts.append(f"Next: {self.next_step}")
        return "\n".join(parts)


class SettingsError(CrosswalkError):
    """``crosswalk.yaml`` or an environment variable is missing or wrong."""


class SwitchedOffError(SettingsError):
    """``connection.enabled`` is false: nothing is asked of the org, and what is published stays."""


class ReferenceDataError(CrosswalkError):
    """The reference file, table or column map cannot be used."""


class ContractError(CrosswalkError):
    """Data broke a promise of a table contract."""


class WarehouseError(CrosswalkError):
    """The warehouse or the snapshot cannot be opened, written or published."""


class HomeBusyError(WarehouseError):
    """Another Crosswalk process holds the lock of this ``CROSSWALK_HOME``."""

    transient = True


class SalesforceError(CrosswalkError):
    """Salesforce refused or could not answer; ``code`` is its error code where it gave one.

    ``position`` is the row and column (from 1) of the query in which it found a fault, where it names one.
    """

    position: tuple[int, int] | None = None

    def __init__(
        self, what: str, *, why: str = "", next_step: str = "", code: str = "", status: int | None = None
    ) -> None:
        super().__init__(what, why=why, next_step=next_step)
        self.code, self.status = code, status


class AuthenticationError(SalesforceError):
    """The org did not accept who we are."""


class OrgUnreachableError(SalesforceError):
    """No answer from the org's host after retries."""

    transient = True


class QuotaError(SalesforceError):
    """The org's API allocation or our share of it is used up."""


class BudgetError(QuotaError):
    """Our own share of the API requests is used up: the run pauses, keeps what has landed and goes on later."""


class OrgMismatchError(SalesforceError):
    """The credentials lead to another org than the one this home is pinned to."""


class ReadOnlyError(SalesforceError):
    """A write was refused by our own client before it reached the network."""


class ExtractionError(CrosswalkError):
    """What arrived is not what the org says it holds; the last good data stays."""


class ReconciliationError(ExtractionError):
    """The warehouse would hold another number of records than the org counts, and nothing explains it."""


class WindowClosedError(CrosswalkError):
    """The off-hours window closed while a job was awaited; the next run takes the job up."""

    transient = True


class DeliveryError(CrosswalkError):
    """An alarm could not be handed to the webhook or the mail server; the run goes on."""


class ResolutionError(CrosswalkError):
    """Matching cannot go on (an untrained parameter, a model of another version)."""


class LinkChangeLimitError(ResolutionError):
    """A run would change more links than it may without approval; ``stop`` is what it would have done."""

    stop: object = None
