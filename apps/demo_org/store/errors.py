"""What the demo org's store refuses, in Salesforce's own codes and words.

Belongs here: the three exceptions the HTTP side turns into response bodies or a message at start.
Not here: HTTP envelopes.
"""

from data_contracts.errors import CrosswalkError


class SoqlError(Exception):
    """A SOQL text Salesforce would refuse with HTTP 400; ``code`` and ``message`` are Salesforce's."""

    status = 400

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class SObjectError(Exception):
    """A record operation Salesforce would refuse.

    ``status`` is the HTTP status of a single-record call; ``fields`` is None where the recorded
    body has no ``fields`` key (INVALID_FIELD on write, NOT_FOUND), else the list it has.
    """

    def __init__(self, status: int, code: str, message: str, fields: list[str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.fields = status, code, message, fields

    def body(self) -> dict[str, object]:
        """The error object as REST sends it inside its array."""
        found: dict[str, object] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            found["fields"] = self.fields
        return found


class DataDirectoryError(CrosswalkError):
    """A CSV of the demo org's data directory cannot be restored."""
