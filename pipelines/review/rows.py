"""What the review shows and takes, as plain rows: no query and no page is made here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from data_contracts.errors import CrosswalkError
from data_contracts.mapping import MappedObject
from pipelines.review.worth import Basis
from resources.decisions import Decision, Judgement

Kind = Literal["company", "person"]
#: What a row waits for. ``returned``: decided, but the evidence has changed since; ``deferred``: somebody was unsure;
#: ``vanished``: accepted, but the entity is no longer in the reference; ``undecided``: nobody has looked yet.
Waiting = Literal["undecided", "returned", "deferred", "vanished"]
Sort = Literal["value", "teaching", "worth", "probability", "name"]


class ReviewError(CrosswalkError):
    """What was asked of the review cannot be done: an unknown record, a sample that is not checked, a wrong field."""


@dataclass(frozen=True)
class PairKey:
    """A record and a reference entity."""

    object: MappedObject
    salesforce_id: str
    reference_id: str


@dataclass(frozen=True)
class Version:
    """What somebody saw when they decided: how often the record had been decided on, and the hash of the evidence."""

    acts: int
    evidence: str = ""

    def __str__(self) -> str:
        return f"{self.acts}.{self.evidence}"

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Return the version a form carried back; raises ReviewError for anything else."""
        acts, _, evidence = text.partition(".")
        if not (acts.isdecimal() and len(acts) < 10 and len(evidence) <= 64 and evidence.isalnum() | (evidence == "")):
            raise ReviewError(
                "the form carries no version of the pair", why="it was changed or cut", next_step="open the pair again"
            )
        return cls(int(acts), evidence)


@dataclass(frozen=True)
class Decided:
    """The judgement was kept; it counts from the next run on."""

    decision: Decision
    version: Version


@dataclass(frozen=True)
class Stale:
    """Nothing was kept: since the pair was shown, ``who`` decided on the record, or a run brought other evidence.

    ``who`` is None where it was a run; ``when`` is aware UTC; ``judgement`` and ``reference_id`` are what was decided.
    """

    who: str | None
    when: datetime | None
    judgement: Judgement | None
    reference_id: str | None
    message: str


Outcome = Decided | Stale


@dataclass(frozen=True)
class Pending:
    """A judgement that the next run will replay."""

    decision_id: int
    judgement: Judgement
    reference_id: str
    decided_by: str
    decided_at: datetime
    reason: str | None


@dataclass(frozen=True)
class QueueRow:
    """One record that waits for a person, with its best candidate. ``worth`` is its open opportunity amount.

    Of several currencies ``worth`` is in the corporate one, or without the org's rates the one that stands out.
    ``rank_value`` is teaching value times what makes worth comparable (``worth.py``); ``key`` is
    what ``after_key`` of the next page takes.
    """

    object: MappedObject
    salesforce_id: str
    name: str | None
    reference_id: str | None
    candidate_name: str | None
    match_probability: float | None
    match_weight: float | None
    rule_code: str | None
    candidate_count: int
    reason: str
    teaching_value: float
    worth: float
    currency: str | None
    rank_value: float
    waiting: Waiting
    pending: Pending | None
    key: str


@dataclass(frozen=True)
class Filters:
    """Which rows of the queue are wanted; an empty filter lets everything through.

    ``text`` is looked for in the names and the record's id; ``pending`` True shows what is decided and not yet
    replayed, False what is not decided, None both.
    """

    object: MappedObject | None = None
    waiting: Waiting | None = None
    min_probability: float | None = None
    max_probability: float | None = None
    rule_code: str | None = None
    country: str | None = None
    owner_id: str | None = None
    text: str = ""
    with_worth: bool = False
    pending: bool | None = False


@dataclass(frozen=True)
class QueuePage:
    """Rows in order; ``total`` is how many pass the filters, ``next_key`` None on the last page.

    ``basis`` says how amounts of several currencies are compared, None without amounts.
    """

    rows: tuple[QueueRow, ...]
    total: int
    next_key: str | None
    basis: Basis | None = None


@dataclass(frozen=True)
class Field:
    """One value of both sides. ``differs`` is True only where both are there and unlike, None where one is missing."""

    name: str
    label: str
    record: Any
    entity: Any
    differs: bool | None


@dataclass(frozen=True)
class Bar:
    """One comparison's share of the match weight, in bits; ``start`` and ``end`` are where its bar lies."""

    name: str
    label: str
    bits: float
    start: float
    end: float


@dataclass(frozen=True)
class Candidate:
    """One entity that was considered. ``waterfall`` runs from the prior to the match weight; empty when unscored."""

    reference_id: str
    name: str | None
    rank: int
    rule_code: str | None
    block_keys: tuple[str, ...]
    match_weight: float | None
    match_probability: float | None
    teaching_value: float
    veto: str | None
    waterfall: tuple[Bar, ...]
    city: str | None
    country: str | None
    decision: Decision | None
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MappedField:
    """A value the imports give the entity: what it holds now, and what it would hold were the pair accepted."""

    name: str
    label: str
    reference: Any
    before: Any
    after: Any
    source_record: str | None


@dataclass(frozen=True)
class EvidenceChange:
    """A standard value under a decision that is another one now."""

    side: Literal["record", "entity"]
    name: str
    before: Any
    now: Any


@dataclass(frozen=True)
class PairView:
    """Everything a person needs to decide one pair; ``version`` goes back with the decision.

    ``hopeless`` counts entities that share a key with the record and weigh too little to be listed.
    """

    key: PairKey
    name: str | None
    candidate_name: str | None
    status: str
    reason: str
    method: str | None
    rule_code: str | None
    match_probability: float | None
    match_weight: float | None
    model: str | None
    veto: str | None
    margin: float | None
    worth: float
    currency: str | None
    owner: str | None
    raw: tuple[Field, ...]
    standard: tuple[Field, ...]
    candidates: tuple[Candidate, ...]
    hopeless: int
    mapped: tuple[MappedField, ...]
    decisions: tuple[Decision, ...]
    pending: tuple[Pending, ...]
    changed_evidence: tuple[EvidenceChange, ...]
    entity_is_there: bool
    version: Version


@dataclass(frozen=True)
class Hit:
    """One entity the search found; ``detail`` is what tells it from others of its name."""

    kind: Kind
    reference_id: str
    name: str | None
    detail: str
    origin: str
    matched: float


@dataclass(frozen=True)
class Found:
    """Hits, best first; ``cut`` when there were more, ``slow`` when the time was over before all was looked at."""

    hits: tuple[Hit, ...]
    cut: bool
    slow: bool


@dataclass(frozen=True)
class Bulk:
    """A bulk acceptance: pairs at or above ``threshold``, its sample, and how far the sample is checked."""

    id: int
    object: MappedObject
    threshold: float
    pairs: int
    sample: tuple[PairKey, ...]
    accepted: int
    rejected: int
    unsure: int
    made_by: str
    made_at: datetime
    applied_at: datetime | None

    @property
    def open(self) -> int:
        """Pairs of the sample nobody has decided yet."""
        return len(self.sample) - self.accepted - self.rejected - self.unsure


@dataclass(frozen=True)
class Proposal:
    """What a record would become in the reference: canonical column → value."""

    object: MappedObject
    salesforce_id: str
    kind: Kind
    reference_id: str
    status: Literal["proposed", "accepted", "rejected"]
    values: Mapping[str, str | None]
    similar: tuple[Hit, ...] = ()
    decided_by: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True)
class DuplicateGroup:
    """Records of one object that are the same entity; ``worth`` is 0 where their amounts are in several currencies."""

    object: MappedObject
    reference_id: str
    name: str | None
    records: int
    worth: float
    currency: str | None
    key: str


@dataclass(frozen=True)
class DuplicateRecords:
    """The records of one entity side by side: per value its name and one value per record, in their order."""

    group: DuplicateGroup
    salesforce_ids: tuple[str, ...]
    methods: tuple[str | None, ...]
    primary: str | None
    values: tuple[tuple[str, tuple[Any, ...], bool], ...]


@dataclass(frozen=True)
class Event:
    """One thing that happened to a record: a decision, a change of its link, an event in Salesforce."""

    at: datetime
    what: Literal["decision", "withdrawn", "link", "record", "created", "import", "audit"]
    text: str
    who: str | None
    reference_id: str | None


@dataclass(frozen=True)
class ShadowRow:
    """A record whose own match field and our link do not say the same."""

    object: MappedObject
    salesforce_id: str
    name: str | None
    theirs: str | None
    theirs_name: str | None
    ours: str | None
    ours_name: str | None
    status: str
    reason: str
    verdict: Literal["other", "only_theirs", "only_ours", "unknown"]
    key: str


@dataclass(frozen=True)
class Shadow:
    """The match an org stores in ``field`` beside ours: counts per verdict, and a page of disagreements."""

    object: MappedObject
    field: str
    compared_with: str
    agree: int
    other: int
    only_theirs: int
    only_ours: int
    unknown: int
    neither: int
    rows: tuple[ShadowRow, ...]
    next_key: str | None


@dataclass(frozen=True)
class Act:
    """One row of the audit: who did what to which record, when (aware UTC)."""

    id: int
    at: datetime
    user: str
    action: str
    object: str | None
    salesforce_id: str | None
    reference_id: str | None
    detail: str | None
