"""Which fields Crosswalk relies on, and for what: matched, mapped, filtered by, exported to."""

from collections.abc import Iterable, Iterator

from data_contracts.mapping import as_mapped, effective_targets
from data_contracts.settings import Settings

#: Fields that matching and the deal story live on; without all of a group the object can hardly be matched.
MATCHED_FIELDS: dict[str, tuple[str, ...]] = {
    "account": ("Name", "Website", "Phone", "BillingStreet", "BillingCity", "BillingPostalCode", "BillingCountry"),
    "contact": ("FirstName", "LastName", "Email", "Phone", "MobilePhone", "AccountId"),
    "lead": ("FirstName", "LastName", "Email", "Phone", "Company", "IsConverted"),
    "opportunity": ("AccountId", "StageName", "Amount", "CloseDate", "IsClosed", "IsWon"),
}
#: What tells one record from another beside its name: with none of them filled, few records find their match.
KEYS: dict[str, tuple[str, ...]] = {
    "account": ("Website", "Phone", "BillingStreet", "BillingPostalCode"),
    "contact": ("Email", "Phone", "MobilePhone"),
    "lead": ("Email", "Phone"),
}
#: Named in the settings by a person, so that a sync cannot do without.
NAMED = frozenset({"mapping", "reference id", "custom filter", "export"})


def relied_fields(settings: Settings, name: str) -> dict[str, tuple[str, ...]]:
    """Return the API fields of object ``name`` that something relies on → what for.

    ``matching``, ``deal story``, ``default mapping`` come with Crosswalk; ``mapping``, ``reference id``,
    ``custom filter``, ``export`` stand in ``crosswalk.yaml``.
    """
    mapped = as_mapped(name)
    exported = effective_targets(settings, mapped, "exports") if mapped else ()
    written = [target.name for target in exported if target.configured and settings.exports.enabled]
    uses: list[tuple[str, Iterable[str]]] = [
        ("deal story" if name == "opportunity" else "matching", MATCHED_FIELDS.get(name, ())),
        *_mapped(settings, name),
        ("reference id", [settings.matching.reference_id_fields.get(name, "")]),
        ("custom filter", [item.field for item in settings.objects[name].custom_filters]),
        ("export", written),
    ]
    found: dict[str, dict[str, None]] = {}
    for use, fields in uses:
        for field in filter(None, fields):
            found.setdefault(field, {})[use] = None
    return {field: tuple(why) for field, why in found.items()}


def _mapped(settings: Settings, name: str) -> Iterator[tuple[str, Iterable[str]]]:
    mapped = as_mapped(name)
    for target in effective_targets(settings, mapped) if mapped else ():
        yield "default mapping", [source for source in target.sources if source not in target.named]
        yield "mapping", target.named
