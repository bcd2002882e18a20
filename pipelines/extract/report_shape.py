"""What a report's describe says that decides whether its members can be read completely, and the refusals.

Running it is ``pipelines.extract.report_slices``. Names of columns: standard report types write ``ACCOUNT_ID``,
custom ones ``Account.Id`` or ``Account$Id``, those of a custom object ``CUST_ID``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data_contracts.errors import SettingsError
from resources.salesforce.reports import ReportName

#: The Reports API returns no more detail rows than this, whatever the report holds.
MOST_ROWS = 2_000
#: A report with more filters than this cannot be run.
MOST_FILTERS = 20
FORMATS = frozenset({"TABULAR", "SUMMARY", "MATRIX"})
#: Scopes that show the same records whoever runs the report.
OPEN_SCOPES = frozenset({"", "organization", "everything", "all", "none"})
ROW_COUNT = "RowCount"
RANGE = ("lessThan", "greaterOrEqual")


@dataclass(frozen=True)
class Axis:
    """The column a truncated report is cut along, and the object's field behind it."""

    column: str
    field: str


@dataclass(frozen=True)
class ReportShape:
    """A report that can be read: where its Ids stand, and along what it can be cut."""

    report: ReportName
    object_name: str
    metadata: Mapping[str, Any]
    id_column: str
    key_prefix: str
    axes: tuple[Axis, ...]

    def ask(self, low: str | None = None, high: str | None = None, axis: Axis | None = None) -> dict[str, Any]:
        """Return the metadata of a run, limited to ``low <= axis < high`` beside the report's own filters."""
        filters = [dict(item) for item in self.metadata.get("reportFilters") or ()]
        added = []
        if axis:
            bounds = (("greaterOrEqual", low), ("lessThan", high))
            added = [
                {"column": axis.column, "operator": operator, "value": value, "isRunPageEditable": True}
                for operator, value in bounds
                if value is not None
            ]
        logic = self.metadata.get("reportBooleanFilter")
        if logic and added:
            numbers = range(len(filters) + 1, len(filters) + len(added) + 1)
            logic = " AND ".join([f"({logic})", *map(str, numbers)])
        aggregates = list(self.metadata.get("aggregates") or ())
        if ROW_COUNT not in aggregates:
            aggregates.append(ROW_COUNT)
        changed = {"reportFilters": [*filters, *added], "reportBooleanFilter": logic, "aggregates": aggregates}
        return {**self.metadata, **changed}

    def axis(self) -> Axis:
        """Return what the report is cut along; raises SettingsError where it cannot be cut.

        A row limit takes the first rows of each slice, and a cross filter is no filter a run may be given.
        """
        where = f"report {self.report.name} of {self.object_name} has more than {MOST_ROWS:,} rows"
        if self.metadata.get("topRows"):
            raise _refusal(where, "its row limit would be applied to each slice by itself", "remove the row limit")
        if self.metadata.get("crossFilters"):
            raise _refusal(
                where, "cross filters cannot be combined with filters of a run", "replace the cross filter by a field"
            )
        if len(self.metadata.get("reportFilters") or ()) + 2 > MOST_FILTERS:
            raise _refusal(where, f"with two more filters it would exceed {MOST_FILTERS}", "remove filters from it")
        if not self.axes:
            raise _refusal(
                where,
                "neither its Id column nor a creation date can be filtered by a range",
                "add the creation date as a column",
            )
        return self.axes[0]


def read_shape(
    report: ReportName, described: Mapping[str, Any], object_name: str, api: str, key_prefix: str
) -> ReportShape:
    """Return the shape of a described report.

    Raises SettingsError naming the report when its rows cannot be tied to records of ``api``, or depend on who
    runs it.
    """
    metadata: Mapping[str, Any] = described["reportMetadata"]
    where = f"report {report.name} of {object_name}"
    form = str(metadata.get("reportFormat"))
    if form not in FORMATS:
        raise _refusal(f"{where} has the format {form}", "a joined report has no rows of its own", "use another format")
    if metadata.get("hasDetailRows") is False:
        raise _refusal(f"{where} hides its detail rows", "without them no record can be told", "show details in it")
    _refuse_personal(where, metadata)
    columns = [str(name) for name in metadata.get("detailColumns") or ()]
    info: Mapping[str, Any] = (described.get("reportExtendedMetadata") or {}).get("detailColumnInfo") or {}
    column = next((name for name in columns if _is_id(name, api)), None)
    typed = [name for name in columns if (info.get(name) or {}).get("dataType") == "id"]
    column = column or (typed[0] if len(typed) == 1 else None)
    if column is None:
        raise _refusal(
            f"{where} has no Id column of {api} among its columns",
            "without it its rows cannot be tied to records",
            f"in the report builder add the column '{_label(api)} ID', save, and run the command again",
        )
    if info and column not in info:
        raise _refusal(
            f"{where} has the column {column}, which the connected user may not read",
            "field-level security hides it",
            "give the user's permission set read access to the field",
        )
    axes = tuple(_axes(column, api, columns, described, info))
    return ReportShape(report, object_name, metadata, column, key_prefix, axes)


def _refuse_personal(where: str, metadata: Mapping[str, Any]) -> None:
    scope = str(metadata.get("scope") or "").lower()
    personal = scope if scope not in OPEN_SCOPES else ""
    for item in metadata.get("reportFilters") or ():
        if re.search(r"\$user|^current_user", str(item.get("value") or ""), re.IGNORECASE):
            personal = personal or f"filter on {item.get('column')}"
    if personal or metadata.get("userOrHierarchyFilterId"):
        raise _refusal(
            f"{where} shows the scope {personal or 'of one user'!r}",
            "it would list the records of the connected user, not those of whoever made the report",
            "use a report over all records, filtered by owner if need be",
        )


def _axes(
    column: str, api: str, columns: list[str], described: Mapping[str, Any], info: Mapping[str, Any]
) -> list[Axis]:
    """Return the Id where the org lets it be filtered by ranges (it does not tell before API 30), else the creation."""
    allowed: Mapping[str, Any] = (described.get("reportTypeMetadata") or {}).get("dataTypeFilterOperatorMap") or {}
    created = [name for name in columns if re.fullmatch(rf"CREATED_DATE|{api}[.$]CreatedDate", name, re.IGNORECASE)]

    def ranged(name: str, usual: str) -> bool:
        told = allowed.get(str((info.get(name) or {}).get("dataType") or usual))
        return told is None or set(RANGE) <= {str(item.get("name")) for item in told}

    found = [Axis(column, "Id")] if ranged(column, "id") else []
    return found + [Axis(name, "CreatedDate") for name in created if ranged(name, "datetime")]


def _is_id(column: str, api: str) -> bool:
    """Whether ``column`` is the record Id of ``api`` as report types name it."""
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", api).upper()
    names = {f"{snake}_ID", f"{api}.ID", f"{api}$ID", f"{api}_ID"} | ({"CUST_ID"} if api.endswith("__c") else set())
    names |= {"ACTIVITY_ID"} if api in ("Task", "Event") else set()
    return column.upper() in {name.upper() for name in names}


def _label(api: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", api.removesuffix("__c").replace("_", " "))


def _refusal(what: str, why: str, next_step: str) -> SettingsError:
    return SettingsError(what, why=why, next_step=next_step)
