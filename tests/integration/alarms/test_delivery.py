"""Alarms against a real HTTP server and a real SMTP conversation on this machine."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from apps.demo_org.certificates import Certificates, make_certificates
from data_contracts.settings import Alerts
from pipelines.alarms.alarm import Alarm
from pipelines.alarms.delivery import deliver
from pipelines.alarms.record import Changes
from tests.support.smtp_sink import Sink, smtp_sink

CHANGES = Changes(
    datetime(2026, 3, 1, 2, 0, tzinfo=UTC),
    (Alarm("link_rate_fell", "the link rate is 70.0 %", "lead", measured=0.1, threshold=0.05),),
    (Alarm("quota_paused", "the org's API requests are used up"),),
)
SECRET = "s3cret-part"


@contextmanager
def webhook(status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    """An HTTP server that answers everything with ``status``; yields its address and what was posted."""
    posted: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posted.append((self.path, self.headers["Content-Type"], json.loads(body)))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", posted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _told(alerts: dict[str, Any], changes: Changes = CHANGES, **environ: str) -> tuple[str, list[str]]:
    heard: list[str] = []
    return deliver(Alerts.model_validate(alerts), environ, changes, heard.append), heard


def test_the_webhook_gets_a_small_document_and_the_secret_of_its_address() -> None:
    with webhook() as (address, posted):
        told, heard = _told({"webhook_url": address + "/hooks/${HOOK}"}, HOOK=SECRET)
    assert (told, heard) == ("webhook", [])
    ((path, kind, document),) = posted
    assert path == f"/hooks/{SECRET}"
    assert kind == "application/json"
    assert document["source"] == "crosswalk"
    assert document["raised"] == [
        {
            "alarm": "link_rate_fell",
            "message": "the link rate is 70.0 %",
            "object": "lead",
            "subject": "*",
            "measured": 0.1,
            "threshold": 0.05,
        }
    ]
    assert [item["alarm"] for item in document["cleared"]] == ["quota_paused"]
    assert "link_rate_fell (lead): the link rate is 70.0 %" in document["text"]


@pytest.mark.parametrize("status", [301, 404, 500])
def test_a_webhook_that_refuses_is_told_without_its_secret(status: int) -> None:
    with webhook(status) as (address, posted):
        told, heard = _told({"webhook_url": address + "/${HOOK}"}, HOOK=SECRET)
    assert len(posted) == 1, "a redirect is not followed"
    assert told == "not delivered by webhook: the webhook at 127.0.0.1 did not take the message"
    assert str(status) in heard[0]
    assert SECRET not in told + heard[0]


def test_nobody_answers_and_a_variable_is_missing() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told, heard = _told({"webhook_url": f"http://127.0.0.1:{port}/${{HOOK}}"}, HOOK=SECRET)
    assert "not delivered" in told
    assert "ConnectionError" in heard[0]
    assert SECRET not in heard[0]
    _, heard = _told({"webhook_url": "https://hooks.example.com/${HOOK}"})
    assert "HOOK is not set" in heard[0]


def test_a_mail_goes_to_everybody_named() -> None:
    with smtp_sink() as sink:
        email = {
            "host": "127.0.0.1",
            "port": sink.port,
            "security": "none",
            "username": "crosswalk",
            "sender": "crosswalk@example.com",
            "to": ["ann@example.com", "bob@example.com"],
        }
        told, heard = _told({"email": email}, CROSSWALK_SMTP_PASSWORD=SECRET)
        assert (told, heard) == ("email", [])
        (mail,) = sink.mails
        assert mail.recipients == ["ann@example.com", "bob@example.com"]
        assert sink.signed_in == [("crosswalk", SECRET)]
        assert "Subject: Crosswalk: 1 alarm" in mail.text
        assert "link_rate_fell (lead): the link rate is 70.0 %" in mail.text
        assert "Over:" in mail.text
        over = replace(CHANGES, raised=())
        assert _told({"email": email}, over, CROSSWALK_SMTP_PASSWORD=SECRET)[0] == "email"
        assert "alarms are over" in sink.mails[-1].text
        told, heard = _told({"email": email})
        assert "CROSSWALK_SMTP_PASSWORD is not set" in heard[0]
        sink.refuse = True
        told, heard = _told({"email": email}, CROSSWALK_SMTP_PASSWORD=SECRET)
    assert told == "not delivered by email: the mail server 127.0.0.1 did not take the message"
    assert SECRET not in heard[0]
    assert "ann@example.com" not in heard[0]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("mail"))


@pytest.fixture
def tls(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The mail server's side of TLS; its certificate is trusted by this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate_file, certificates.key_file)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca_file))
    return context


def _mail(sink: Sink, host: str = "localhost", security: str = "starttls") -> tuple[str, list[str]]:
    email = {"host": host, "port": sink.port, "security": security, "username": "crosswalk",
             "sender": "crosswalk@example.com", "to": ["ann@example.com"]}  # fmt: skip
    return _told({"email": email}, CROSSWALK_SMTP_PASSWORD=SECRET)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_password_and_mail_go_through_tls_alone(tls: ssl.SSLContext, security: str) -> None:
    with smtp_sink(tls, immediately=security == "tls") as sink:
        assert _mail(sink, security=security) == ("email", [])
    assert sink.signed_in == [("crosswalk", SECRET)]
    assert [mail.recipients for mail in sink.mails] == [["ann@example.com"]]
    assert sink.in_the_clear == (["EHLO", "STAR"] if security == "starttls" else [])


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize(("host", "why"), [("localhost", "certificate"), ("127.1", "Hostname mismatch")])
def test_a_mail_server_with_another_certificate_hears_no_password(
    tls: ssl.SSLContext, host: str, why: str, security: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if host == "localhost":
        monkeypatch.delenv("SSL_CERT_FILE")
    with smtp_sink(tls, immediately=security == "tls") as sink:
        told, heard = _mail(sink, host, security)
    assert told == f"not delivered by email: the certificate of the mail server {host} is not trusted"
    assert why in heard[0]
    assert SECRET not in heard[0]
    assert (sink.signed_in, sink.mails) == ([], [])
    assert not {"AUTH", "MAIL"} & set(sink.in_the_clear)


def test_nothing_goes_in_the_clear_where_starttls_is_not_offered() -> None:
    with smtp_sink() as sink:
        told, heard = _mail(sink)
    assert told == "not delivered by email: the mail server localhost does not offer STARTTLS"
    assert "nothing is sent in the clear" in heard[0]
    assert (sink.signed_in, sink.mails, sink.in_the_clear) == ([], [], ["EHLO"])


def test_one_channel_that_fails_does_not_keep_the_other_from_telling() -> None:
    with webhook() as (address, posted):
        email = {"host": "127.0.0.1", "port": 1, "security": "none", "sender": "a@example.com", "to": ["b@example.com"]}
        told, heard = _told({"webhook_url": address, "email": email})
    assert told.startswith("webhook; not delivered by email")
    assert len(posted) == len(heard) == 1


def test_nothing_to_tell_and_nobody_to_tell_it_to() -> None:
    assert _told({}) == ("nobody", [])
    assert _told({"webhook_url": "https://hooks.example.com"}, Changes(CHANGES.at)) == ("nobody", [])
