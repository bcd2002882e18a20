"""What a report says of itself: ``reportMetadata``, ``reportExtendedMetadata``, ``reportTypeMetadata``.

Belongs here: the documented keys with their defaults, and checking a definition. Not here: running.
"""

from typing import Any, Final

from apps.demo_org.reports_columns import Column, ReportType, find_report_type
from apps.demo_org.reports_filters import OPERATORS, refused
from apps.demo_org.store import ObjectType, Visibility

MAX_COLUMNS: Final = 100
_SUMMARIES: Final = {"s": "Sum of {}", "a": "Average {}", "mx": "Largest {}", "m": "Smallest {}", "u": "Unique {}"}
_OPERATOR_LABELS: Final = {
    "equals": "equals",
    "notEqual": "not equal to",
    "lessThan": "less than",
    "greaterThan": "greater than",
    "lessOrEqual": "less or equal",
    "greaterOrEqual": "greater or equal",
    "contains": "contains",
    "notContain": "does not contain",
    "startsWith": "starts with",
    "includes": "includes",
    "excludes": "excludes",
}
GRANULARITIES: Final = ("None", "Day", "Week", "Month", "Quarter", "Year")
_DEFAULTS: Final[dict[str, Any]] = {
    "aggregates": ["RowCount"],
    "buckets": [],
    "chart": None,
    "crossFilters": [],
    "currency": None,
    "customDetailFormula": [],
    "customSummaryFormula": [],
    "dashboardSetting": None,
    "description": None,
    "detailColumns": [],
    "division": None,
    "folderId": None,
    "groupingsAcross": [],
    "groupingsDown": [],
    "hasDetailRows": True,
    "hasRecordCount": True,
    "historicalSnapshotDates": [],
    "presentationOptions": {"hasStackedSummaries": True},
    "reportBooleanFilter": None,
    "reportFilters": [],
    "scope": "organization",
    "showGrandTotal": True,
    "showSubtotals": True,
    "sortBy": [],
    "standardFilters": [],
    "supportsRoleHierarchy": False,
    "userOrHierarchyFilterId": None,
}


def complete(given: dict[str, Any], kind: ReportType) -> dict[str, Any]:
    """A definition with every documented key, its report type spelled out and its format derived."""
    found = {**_DEFAULTS, **given}
    found["groupingsDown"] = [_grouping(each) for each in found["groupingsDown"] or []]
    found["groupingsAcross"] = [_grouping(each) for each in found["groupingsAcross"] or []]
    implied = "MATRIX" if found["groupingsAcross"] else "SUMMARY" if found["groupingsDown"] else "TABULAR"
    found["reportFormat"] = str(given.get("reportFormat") or implied).upper()
    found["reportType"] = {"type": kind.name, "label": kind.label}
    standard = {"column": kind.date_column, "durationValue": "CUSTOM", "startDate": None, "endDate": None}
    found["standardDateFilter"] = {**standard, **(given.get("standardDateFilter") or {})}
    found["reportFilters"] = [
        {"filterType": "fieldValue", "isRunPageEditable": True, **each} if isinstance(each, dict) else each
        for each in found["reportFilters"] or []
    ]
    return dict(sorted(found.items()))


def _grouping(given: Any) -> dict[str, Any]:
    entry = given if isinstance(given, dict) else {"name": given}
    return {"dateGranularity": "None", "sortAggregate": None, "sortOrder": "Asc", **entry}


def type_of(given: dict[str, Any], objects: dict[str, ObjectType], seen: Visibility) -> ReportType | None:
    """The report type a definition names, as text or as ``{"type": ...}``."""
    named = given.get("reportType")
    name = named.get("type") if isinstance(named, dict) else named
    return find_report_type(str(name), objects, seen) if name else None


def check(metadata: dict[str, Any], kind: ReportType) -> None:
    """Refuse a definition that cannot be run: columns, groupings, aggregates, sorting."""
    columns = metadata["detailColumns"]
    if not columns and not metadata["groupingsDown"]:
        raise refused("Can’t run the report because it doesn’t have any columns selected.")
    if len(columns) > MAX_COLUMNS:
        raise refused("Only a report with fewer than 100 columns can be run.")
    if metadata["reportFormat"] not in ("TABULAR", "SUMMARY", "MATRIX"):
        raise refused("You’re requesting data for an unsupported report format.")
    for key, most in (("groupingsDown", 3), ("groupingsAcross", 2)):
        groups = metadata[key]
        if len(groups) > most or any(kind.find(g["name"]) is None for g in groups):
            raise refused(f"The request is invalid because {key} is invalid.")
        if any(g["dateGranularity"] not in GRANULARITIES for g in groups):
            raise refused(f"The request is invalid because a dateGranularity of {key} is invalid.")
    for aggregate in metadata["aggregates"]:
        if aggregate != "RowCount" and aggregate_of(kind, aggregate) is None:
            raise refused(f"The request is invalid because the aggregate {aggregate} is invalid.")
    _check_sorting(metadata)


def _check_sorting(metadata: dict[str, Any]) -> None:
    if len(metadata["sortBy"]) > 1:
        raise refused("A report can only be sorted by one column.")
    for each in metadata["sortBy"]:
        if metadata["reportFormat"] == "MATRIX":
            raise refused("Column sorting isn’t supported for matrix reports.")
        if each.get("sortColumn") not in metadata["detailColumns"]:
            raise refused("The sort column name must be from a selected column.")


def aggregate_of(kind: ReportType, name: str) -> tuple[str, Column] | None:
    """The function (``s a mx m u``) and the column of an aggregate such as ``s!AMOUNT``."""
    function, _, column_name = name.partition("!")
    column = kind.find(column_name) if function in _SUMMARIES else None
    return (function, column) if column else None


def readable(metadata: dict[str, Any], kind: ReportType) -> list[Column]:
    """The detail columns the user may read, in order: the others are left out, as field-level security does."""
    return [column for name in metadata["detailColumns"] if (column := kind.find(name))]


def extended(metadata: dict[str, Any], kind: ReportType) -> dict[str, Any]:
    """Body of ``reportExtendedMetadata``."""
    aggregates: dict[str, Any] = {}
    for name in metadata["aggregates"]:
        found = aggregate_of(kind, name)
        aggregates[name] = {
            "acrossGroupingContext": None,
            "dataType": found[1].data_type if found and found[0] != "u" else "int",
            "downGroupingContext": None,
            "label": _SUMMARIES[found[0]].format(found[1].label) if found else "Record Count",
        }
    groups = {}
    for key in ("groupingsDown", "groupingsAcross"):
        for level, group in enumerate(metadata[key]):
            if column := kind.find(group["name"]):
                info = {"dataType": column.data_type, "groupingLevel": level, "label": column.label}
                groups[column.name] = info
    return {
        "aggregateColumnInfo": aggregates,
        "detailColumnInfo": {column.name: _detail(column) for column in readable(metadata, kind)},
        "groupingColumnInfo": groups,
    }


def _detail(column: Column) -> dict[str, Any]:
    picklist = column.field.describe["picklistValues"] if column.data_type in ("picklist", "multipicklist") else []
    return {
        "dataType": column.data_type,
        "entityColumnName": column.path,
        "filterValues": [{"label": each["label"], "name": each["value"]} for each in picklist],
        "filterable": bool(column.field.describe["filterable"]),
        "isLookup": column.id_path is not None,
        "label": column.label,
        "uniqueCountable": column.field.type != "textarea",
    }


def type_metadata(kind: ReportType) -> dict[str, Any]:
    """Body of ``reportTypeMetadata``: the columns a report of this type may have and how they filter."""
    columns = {
        column.name: _detail(column)
        | {
            "allowedInCustomDetailFormula": False,
            "bucketable": False,
            "fieldToFieldFilterable": False,
            "isCustom": column.field.is_custom,
            "maxLength": column.field.describe["length"] or None,
        }
        for column in kind.listed()
    }
    everything = {"allowsDivision": False, "label": f"All {kind.label.lower()}", "value": "organization"}
    mine = {"allowsDivision": False, "label": f"My {kind.label.lower()}", "value": "user"}
    return {
        "categories": [{"columns": columns, "label": kind.label}],
        "dataTypeFilterOperatorMap": {
            name: [{"label": _OPERATOR_LABELS[each], "name": each} for each in operators]
            for name, operators in OPERATORS.items()
        },
        "dateGranularityInfos": [{"label": name, "name": name} for name in GRANULARITIES],
        "divisionInfo": None,
        "scopeInfo": {"defaultValue": "organization", "values": [everything, mine]},
        "standardDateFilterDurationGroups": [],
        "standardFilterInfos": {},
        "supportsJoinedFormat": False,
    }
