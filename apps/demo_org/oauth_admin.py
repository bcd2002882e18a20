"""An admin's decisions on apps and API access, through ``/__demo__/settings``.

Belongs here: the keys ``app`` and ``security``. What they lead to is ``oauth_policy.py``.
"""

from typing import Any

from pydantic import BaseModel, ValidationError

from apps.demo_org.errors import ApiError
from apps.demo_org.org import DemoOrgState


def change_security(org: DemoOrgState, body: dict[str, Any]) -> dict[str, Any]:
    """Take over ``app`` (the demo's own, or the one of its ``client_id``) and ``security``; return what holds now.

    Every key left out stays. Raises ``ApiError`` naming the key and the value that does not fit.
    """
    wanted = dict(body.get("app") or {})
    app = org.apps.get(str(wanted.pop("client_id", org.app.client_id)))
    if app is None:
        raise ApiError(400, "INVALID_PARAMETER_VALUE", "app.client_id: the org has no such app")
    _change(app.policy, wanted, "app")
    _change(org.security, dict(body.get("security") or {}), "security")
    return {"app": app.policy.model_dump(mode="json"), "security": org.security.model_dump(mode="json")}


def _change(model: BaseModel, values: dict[str, Any], where: str) -> None:
    try:
        checked = type(model).model_validate({**model.model_dump(), **values})
    except ValidationError as error:
        problems = "; ".join(
            f"{where}.{'.'.join(str(part) for part in each['loc'])}: {each['msg']}"
            for each in error.errors(include_url=False)
        )
        raise ApiError(400, "INVALID_PARAMETER_VALUE", problems) from error
    for name in values:
        setattr(model, name, getattr(checked, name))
