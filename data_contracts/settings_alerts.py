"""The section ``alerts`` of the settings: when something is wrong although the run succeeded, and who hears of it."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from data_contracts.settings_section import Section, Share


class Email(Section):
    """A mail server and who hears of alarms; its password is ``CROSSWALK_SMTP_PASSWORD``."""

    host: str = Field(min_length=1, description="name of the SMTP server")
    port: int = Field(587, gt=0, le=65535)
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="none sends in the clear: for a server on this machine"
    )
    username: str | None = Field(None, description="to sign in with; unset: the server asks for no password")
    sender: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", description="address the mail comes from")
    to: tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")], ...] = Field(
        min_length=1, description="addresses it goes to"
    )


class Alerts(Section):
    """When to say that something is wrong although the job succeeded, and to whom."""

    stale_after_days: int = Field(
        7, ge=1, description="days without a changed record of a matched object, or without a published run"
    )
    link_rate_drop: Share = Field(
        0.05, description="share by which an object's link rate may be below the best of the seven runs before"
    )
    removed_share: Share = Field(
        0.1, description="share of an object's records that one run may find removed or deleted"
    )
    fill_rate_drop: Share = Field(
        0.1, description="share by which a matching field may be filled less than in the best of the seven runs before"
    )
    webhook_url: str | None = Field(
        None, description="where alarms are posted as JSON; ${NAME} is replaced from the environment"
    )
    email: Email | None = Field(None, description="the mail server that alarms are sent through")

    @field_validator("webhook_url")
    @classmethod
    def _safe_address(cls, value: str | None) -> str | None:
        if value is None or re.match(r"https://|http://(localhost|127\.0\.0\.1)[:/]|\$\{\w+\}$", value):
            return value
        raise ValueError("an address begins with https:// (http:// only for this machine), or is ${NAME} as a whole")
