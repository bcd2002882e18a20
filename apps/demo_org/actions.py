"""What ``/__demo__/execute`` can do to the org: one function per action.

Belongs here: the arguments of an action and the call on the store. Not here: the routes (``admin.py``), how a
change is made (``store``).
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from apps.demo_org import permission_admin
from apps.demo_org.errors import ApiError
from apps.demo_org.org import DemoOrgState
from apps.demo_org.store import LeadConvert

Action = Callable[[DemoOrgState, dict[str, Any]], object]


def run(org: DemoOrgState, body: dict[str, Any]) -> object:
    """Do what ``body`` says, inside the transaction it names if it names one; the action's result."""
    arguments = dict(body)
    name = str(arguments.pop("do", ""))
    if name not in ACTIONS:
        raise wrong(f"do must be one of: {', '.join(ACTIONS)}")
    if name in _ENDS:
        return ACTIONS[name](org, arguments)
    with org.store.transactions.within(arguments.pop("transaction", None)):
        return ACTIONS[name](org, arguments)


def wrong(message: str) -> ApiError:
    """Answer for an argument that cannot be used."""
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def text(body: dict[str, Any], key: str) -> str:
    """A text argument that must be there."""
    if not isinstance(body.get(key), str):
        raise wrong(f"{key} is missing or not text")
    return str(body[key])


def moment(body: dict[str, Any], key: str) -> datetime:
    """A dateTime argument that must be there; without an offset it is UTC."""
    try:
        found = datetime.fromisoformat(text(body, key))
    except ValueError:
        raise wrong(f"{key} is not a dateTime: {body[key]}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _begin(org: DemoOrgState, body: dict[str, Any]) -> str:
    return org.store.transactions.begin()


def _commit(org: DemoOrgState, body: dict[str, Any]) -> None:
    org.store.transactions.commit(text(body, "transaction"))


def _rollback(org: DemoOrgState, body: dict[str, Any]) -> None:
    org.store.transactions.rollback(text(body, "transaction"))


def _create(org: DemoOrgState, body: dict[str, Any]) -> str:
    return org.store.create(text(body, "object"), dict(body.get("values", {})))


def _update(org: DemoOrgState, body: dict[str, Any]) -> None:
    org.store.update(text(body, "object"), text(body, "id"), dict(body.get("values", {})))


def _delete(org: DemoOrgState, body: dict[str, Any]) -> None:
    org.store.delete(text(body, "object"), text(body, "id"))


def _undelete(org: DemoOrgState, body: dict[str, Any]) -> None:
    org.store.undelete(text(body, "object"), text(body, "id"))


def _hard_delete(org: DemoOrgState, body: dict[str, Any]) -> None:
    org.store.hard_delete(text(body, "object"), text(body, "id"))


def _update_where(org: DemoOrgState, body: dict[str, Any]) -> int:
    values, stamp = dict(body.get("values", {})), body.get("stamp", True)
    if isinstance(stamp, str):
        # Many records with one stamp, and one of the past: what an import or a restore of a backup leaves.
        values["SystemModstamp"] = moment(body, "stamp").astimezone(UTC).replace(tzinfo=None)
    return org.store.update_where(text(body, "object"), str(body.get("where", "")), values, stamp=stamp is True)


def _add_field(org: DemoOrgState, body: dict[str, Any]) -> None:
    attributes = {key: value for key, value in body.items() if key not in ("object", "name", "type")}
    org.store.add_field(text(body, "object"), text(body, "name"), str(body.get("type", "string")), **attributes)
    org.permissions.field_added(text(body, "object"), text(body, "name"))


def _remove_field(org: DemoOrgState, body: dict[str, Any]) -> None:
    org.store.remove_field(text(body, "object"), text(body, "name"))
    org.permissions.field_removed(text(body, "object"), text(body, "name"))


def _add_duplicate_rule(org: DemoOrgState, body: dict[str, Any]) -> None:
    fields = body.get("fields")
    if not isinstance(fields, list):
        raise wrong("fields is missing or no array")
    org.store.add_duplicate_rule(text(body, "object"), text(body, "name"), [str(each) for each in fields])


def _merge(org: DemoOrgState, body: dict[str, Any]) -> list[str]:
    losers, values = [str(each) for each in body.get("losers", [])], dict(body.get("values", {}))
    return org.store.changes.merge(text(body, "object"), text(body, "master"), losers, values)


def _convert_lead(org: DemoOrgState, body: dict[str, Any]) -> dict[str, str | None]:
    wanted = LeadConvert(
        lead=text(body, "lead"),
        converted_status=str(body.get("status", "Closed - Converted")),
        account=body.get("account"),
        contact=body.get("contact"),
        create_opportunity=bool(body.get("create_opportunity", True)),
        opportunity_name=body.get("opportunity_name"),
        overwrite_lead_source=bool(body.get("overwrite_lead_source", False)),
    )
    return asdict(org.store.changes.convert_lead(wanted))


def _install_package(org: DemoOrgState, body: dict[str, Any]) -> dict[str, str]:
    """Install a package: ``package`` and ``version`` hold the values of their records."""
    user = org.store.default_user_id
    version = org.store.add_record("SubscriberPackageVersion", dict(body.get("version", {})), user)
    package = org.store.add_record("SubscriberPackage", dict(body.get("package", {})), user)
    named = {"SubscriberPackageId": package, "SubscriberPackageVersionId": version}
    installed = org.store.add_record("InstalledSubscriberPackage", named, user)
    return {"package": package, "version": version, "installed": installed}


def _empty_recycle_bin(org: DemoOrgState, body: dict[str, Any]) -> list[str]:
    return org.store.changes.empty_recycle_bin(text(body, "object"), body.get("ids"))


def _purge_delete_log(org: DemoOrgState, body: dict[str, Any]) -> int:
    kind = org.store.object_type(text(body, "object"))
    return org.store.replication.purge(kind, moment(body, "before"))


_ENDS: Final = ("begin", "commit", "rollback")
#: Action -> what it does; documented in ``docs/demo-org.md``.
ACTIONS: Final[dict[str, Action]] = {
    "begin": _begin,
    "commit": _commit,
    "rollback": _rollback,
    "create": _create,
    "update": _update,
    "delete": _delete,
    "undelete": _undelete,
    "hard_delete": _hard_delete,
    "update_where": _update_where,
    "add_duplicate_rule": _add_duplicate_rule,
    "add_field": _add_field,
    "remove_field": _remove_field,
    "merge": _merge,
    "convert_lead": _convert_lead,
    "install_package": _install_package,
    "empty_recycle_bin": _empty_recycle_bin,
    "purge_delete_log": _purge_delete_log,
    **permission_admin.ACTIONS,
}
