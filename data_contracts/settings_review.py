"""The section ``review`` of the settings: who may open the review page, and through which proxy."""

from ipaddress import IPv4Address
from typing import Literal

from pydantic import Field, IPvAnyAddress

from data_contracts.settings_section import Section


class ReviewUser(Section):
    """One person who may open the review page."""

    name: str = Field(min_length=1, max_length=100, description="stands beside every decision of this person")
    role: Literal["viewer", "reviewer", "admin"] = "reviewer"
    password_hash: str | None = Field(None, description="made by crosswalk review --hash-password; never a password")


class ReviewProxy(Section):
    """A proxy that has signed people in and names them; its secret is ``CROSSWALK_REVIEW_PROXY_SECRET``."""

    addresses: tuple[IPvAnyAddress, ...] = Field(
        (IPv4Address("127.0.0.1"),), description="where the proxy connects from; a header from elsewhere is refused"
    )
    user_header: str = Field(
        "X-Forwarded-User", pattern=r"^[A-Za-z][A-Za-z0-9-]*$", description="header with the name of the user"
    )
    secret_header: str = Field(
        "X-Crosswalk-Proxy-Secret",
        pattern=r"^[A-Za-z][A-Za-z0-9-]*$",
        description="header in which the proxy sends the secret that only it and Crosswalk know",
    )
    default_role: Literal["viewer", "reviewer"] | None = Field(
        None, description="role of people whom accounts do not name; unset: they are refused"
    )


class Review(Section):
    """The review page."""

    host: str = "127.0.0.1"
    port: int = Field(8765, ge=0, le=65535)
    public_url: str | None = Field(
        None,
        pattern=r"^https://[A-Za-z0-9.-]+(:\d{1,5})?/?$",
        description="https address under which people open it, when a proxy stands before it",
    )
    session_hours: float = Field(12, gt=0, le=168, description="after so many hours one signs in again")
    accounts: tuple[ReviewUser, ...] = Field((), description="who may open it; nobody: who starts it, on this machine")
    proxy: ReviewProxy | None = Field(None, description="trust the user header of a proxy; unset: passwords only")
