"""The sections ``imports`` and ``exports`` of the settings: which field feeds which, in both directions.

Which fields an org has, and whether a mapping as a whole is sound, is ``data_contracts.mapping_rules``.
"""

from typing import Literal

from pydantic import Field, model_validator

from data_contracts.settings_section import Section

PrimaryRule = Literal["open_opportunities", "most_recent", "oldest"]
SurvivorRule = Literal["primary", "most_recent", "most_complete", "trusted_owner"]
MappedName = Literal["account", "contact", "lead"]
Transform = Literal["none", "trim", "lower", "upper", "email", "domain", "phone", "digits", "first"]
WriteMode = Literal["fill_if_blank", "tracked", "overwrite"]
ValueType = Literal["text", "integer", "decimal", "boolean", "date", "timestamp"]


class FieldRow(Section):
    """One target: the first non-empty of its ordered sources, else a static value."""

    sources: tuple[str, ...] = Field(
        (), description="where the value comes from, numbered from 1; the first that is not empty wins"
    )
    add: tuple[str, ...] = Field((), description="further choices, after those of the default")
    remove: tuple[str, ...] = Field((), description="choices of the default that are left out")
    static: str | None = Field(None, description="a value for every record; after sources: where all are empty")
    transform: Transform = Field(
        "none",
        description="trim, lower, upper; email (trimmed, lower case, only what has an @); domain (of a website or "
        "e-mail address); phone (digits and +); digits; first (of the values of a multi-select picklist)",
    )
    required: bool = Field(False, description="a record without a value is left out and counted")

    @model_validator(mode="after")
    def _says_something(self) -> "FieldRow":
        if not self.model_fields_set - {"type"}:
            raise ValueError("a blank mapping row: give sources, add or remove, or a static value; null takes it out")
        if self.static is not None and not self.static.strip():
            raise ValueError("a blank mapping row: static is empty; null takes the row out")
        if self.sources and (self.add or self.remove):
            raise ValueError("sources takes the place of the default, add and remove go on from it; give one of them")
        named = [*self.sources, *self.add, *self.remove]
        if any(not name.strip() for name in named):
            raise ValueError("a blank source; take it out of the list")
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} stands twice; a choice has one number")
        return self


class MappedField(FieldRow):
    """One target column of the imports, from fields of Salesforce."""

    mode: WriteMode = Field(
        "overwrite",
        description="overwrite: what Salesforce says; fill_if_blank: only where the reference has no value; tracked: "
        "there, and over a value that was imported before; a boolean is never blank and needs overwrite",
    )
    type: ValueType | None = Field(None, description="type of a target of your own; unset: text, or the default's")


class ExportField(FieldRow):
    """One Salesforce field, from columns of the reference."""

    mode: WriteMode = Field(
        "fill_if_blank",
        description="fill_if_blank: only an empty field; tracked: that, and what was written by Crosswalk and not "
        "changed since; overwrite: always; a checkbox is never blank and needs overwrite",
    )


class Survivorship(Section):
    """Whose values survive on an entity that several records stand for; blanks are filled from the next record."""

    order: tuple[SurvivorRule, ...] = Field(
        ("primary",),
        description="which record speaks first: primary (contacts before leads, then imports.primary), most_recent "
        "(changed last), most_complete (most mapped values), trusted_owner; each breaks the ties of the one before, "
        "and primary those that are left",
    )
    targets: dict[str, tuple[SurvivorRule, ...]] = Field(
        default_factory=dict, description="target column, or group such as address → its own order"
    )
    trusted_owners: tuple[str, ...] = Field(
        (), description="for trusted_owner: user Ids, usernames or e-mail addresses, the most trusted first"
    )

    @model_validator(mode="after")
    def _somebody_is_trusted(self) -> "Survivorship":
        rules = {rule for order in (self.order, *self.targets.values()) for rule in order}
        if "trusted_owner" in rules and not self.trusted_owners:
            raise ValueError("trusted_owner needs trusted_owners: user Ids, usernames or e-mail addresses")
        return self


class Creation(Section):
    """When an unmatched record of an object is worth creating in the reference."""

    enabled: bool = Field(True, description="off proposes nothing of this object")
    require: tuple[str, ...] = Field(
        (), description="target columns that must have a value, beside the name; address: street with city or code"
    )
    any_of: tuple[str, ...] = Field(
        ("website", "phone", "mobile", "email", "address"),
        description="at least one of these must have a value; empty: the name is enough",
    )
    open_opportunity: bool = Field(
        False, description="only with an open opportunity: of the account, or of a contact's account"
    )
    changed_within_days: int | None = Field(None, gt=0, description="only records changed in so many days")


class Imports(Section):
    """Salesforce → reference: which fields are imported, per object."""

    mapping: dict[Literal["account", "contact", "lead"], dict[str, MappedField | None]] = Field(
        default_factory=dict, description="per object: target column → its sources; null takes a default target out"
    )
    primary: tuple[PrimaryRule, ...] = Field(
        ("open_opportunities", "most_recent", "oldest"),
        description="which of several records of one entity is its primary one; the lowest Id decides what is left",
    )
    survivorship: Survivorship = Field(default_factory=Survivorship)
    creation: dict[Literal["account", "contact", "lead"], Creation] = Field(
        default_factory=dict, description="per object: when an unmatched record is worth creating in the reference"
    )


class Exports(Section):
    """Reference → Salesforce. Off: the client refuses every write."""

    enabled: bool = Field(False, description="off: the client refuses every write, and the mapping is only checked")
    mapping: dict[MappedName, dict[str, ExportField | None]] = Field(
        default_factory=dict,
        description="per object: Salesforce field → columns of its company or person (of a person's company: "
        "company.name) or of the link (crosswalk.match_probability); null takes a default out",
    )
