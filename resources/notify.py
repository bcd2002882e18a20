"""Handing a message to a webhook (HTTP POST of JSON) or a mail server (SMTP). What it says is not known here.

Addresses may hold secrets: errors name the host and nothing else of them, and are not chained to what a library says.
"""

import re
import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import requests

from data_contracts.errors import DeliveryError
from data_contracts.settings import Email

#: Nobody waits longer for a message to be taken.
TIMEOUT_SECONDS = 10.0
PASSWORD = "CROSSWALK_SMTP_PASSWORD"


def post_json(url: str, environ: Mapping[str, str], document: Mapping[str, Any]) -> None:
    """Post ``document`` to ``url``, in which ``${NAME}`` is replaced from ``environ``; redirects are not followed.

    Raises DeliveryError when a variable is not set, nobody answers, or the answer is not 2xx.
    """
    address = _expanded(url, environ)
    host = urlsplit(address).hostname or "the webhook"
    try:
        answer = requests.post(address, json=dict(document), timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise _failed(f"the webhook at {host}", type(error).__name__, "alerts.webhook_url") from None
    if not 200 <= answer.status_code < 300:
        raise _failed(f"the webhook at {host}", f"it answered {answer.status_code}", "alerts.webhook_url")


def send_mail(email: Email, environ: Mapping[str, str], subject: str, text: str) -> None:
    """Send ``text`` from and to the addresses of ``email``.

    Raises DeliveryError when the password is not set, nobody answers, or the server refuses.
    """
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, email.sender, ", ".join(email.to)
    message.set_content(text)
    try:
        with _connected(email) as server:
            if email.username:
                server.login(email.username, _password(environ))
            server.send_message(message)
    except ssl.SSLCertVerificationError as error:
        raise _untrusted(email.host, error.verify_message) from None
    except (smtplib.SMTPException, OSError) as error:
        # An answer of the server may repeat addresses: its number and the kind of error say enough.
        said = f"{type(error).__name__} {getattr(error, 'smtp_code', '')}".strip()
        raise _failed(f"the mail server {email.host}", said, "alerts.email") from None


def _connected(email: Email) -> smtplib.SMTP:
    """Return a connection over which a password may be sent; closed where it cannot be made safe."""
    if email.security == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(email.host, email.port, timeout=TIMEOUT_SECONDS, context=context)
    server = smtplib.SMTP(email.host, email.port, timeout=TIMEOUT_SECONDS)
    if email.security == "starttls":
        try:
            server.starttls(context=ssl.create_default_context())
        except smtplib.SMTPNotSupportedError:
            server.close()
            raise DeliveryError(
                f"the mail server {email.host} does not offer STARTTLS",
                why="alerts.email.security is starttls, and nothing is sent in the clear",
                next_step="correct alerts.email.port, or set security: tls (port 465), or none for one on this machine",
            ) from None
        except BaseException:
            server.close()
            raise
    return server


def _untrusted(host: str, why: str) -> DeliveryError:
    return DeliveryError(
        f"the certificate of the mail server {host} is not trusted",
        why=f"{why}; nothing was sent",
        next_step="correct alerts.email.host, or let this machine trust who signed it (SSL_CERT_FILE names a PEM file)",
    )


def _password(environ: Mapping[str, str]) -> str:
    if password := environ.get(PASSWORD):
        return password
    raise DeliveryError(
        f"{PASSWORD} is not set",
        why="alerts.email.username is set, and the password is never written into crosswalk.yaml",
        next_step=f"set {PASSWORD} for the service too, or take the username out",
    )


def _expanded(url: str, environ: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] in environ:
            return environ[match[1]]
        raise DeliveryError(
            f"the environment variable {match[1]} is not set",
            why="alerts.webhook_url names it",
            next_step="set it for the service too, or correct alerts.webhook_url",
        )

    return re.sub(r"\$\{(\w+)\}", value, url)


def _failed(what: str, why: str, key: str) -> DeliveryError:
    return DeliveryError(
        f"{what} did not take the message", why=why, next_step=f"see whether it can be reached; it is set under {key}"
    )
