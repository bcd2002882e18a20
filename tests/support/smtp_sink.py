"""A mail server for tests: speaks enough SMTP (RFC 5321, AUTH PLAIN, STARTTLS) to take mails, and keeps them."""

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Mail:
    """One mail as it arrived."""

    recipients: list[str]
    text: str


@dataclass
class Sink:
    """What arrived; ``refuse`` makes it turn down every recipient from then on.

    With ``tls`` it offers STARTTLS, and ``in_the_clear`` are the commands that came without it.
    """

    port: int = 0
    tls: ssl.SSLContext | None = None
    mails: list[Mail] = field(default_factory=list)
    signed_in: list[tuple[str, str]] = field(default_factory=list)
    in_the_clear: list[str] = field(default_factory=list)
    refuse: bool = False


class _Server(socketserver.TCPServer):
    sink: Sink
    immediately: bool = False


def _bye(_: str) -> str:
    return "221 bye"


class _Conversation(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.recipients: list[str] = []
        self.secured = False
        try:
            if self.server.immediately:
                self.secure()
            self.converse()
        except (ssl.SSLError, ConnectionError):
            # Whoever does not trust the certificate hangs up.
            return

    def converse(self) -> None:
        self.say("220 sink")
        while raw := self.rfile.readline():
            verb, line = raw[:4].upper(), raw.decode().strip()
            if not self.secured:
                self.server.sink.in_the_clear.append(verb.decode())
            answers = {b"EHLO": self.greet, b"AUTH": self.sign_in, b"RCPT": self.add, b"DATA": self.take, b"QUIT": _bye}
            if verb == b"STAR" and self.server.sink.tls:
                self.say("220 go on")
                self.secure()
                continue
            self.say(answers.get(verb, lambda _: "250 ok")(line))
            if verb == b"QUIT":
                return

    def secure(self) -> None:
        assert self.server.sink.tls
        self.request = self.server.sink.tls.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
        self.secured = True

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def greet(self, _: str) -> str:
        offered = "250-STARTTLS\r\n" if self.server.sink.tls and not self.secured else ""
        return f"250-sink\r\n{offered}250 AUTH PLAIN"

    def sign_in(self, line: str) -> str:
        _, name, password = base64.b64decode(line.split()[2]).decode().split("\0")
        self.server.sink.signed_in.append((name, password))
        return "235 welcome"

    def add(self, line: str) -> str:
        address = line.partition("<")[2].rstrip(">")
        if self.server.sink.refuse:
            return f"550 <{address}> is not known here"
        self.recipients.append(address)
        return "250 ok"

    def take(self, _: str) -> str:
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.decode())
        self.server.sink.mails.append(Mail(self.recipients, "".join(lines)))
        return "250 taken"


@contextmanager
def smtp_sink(tls: ssl.SSLContext | None = None, *, immediately: bool = False) -> Iterator[Sink]:
    """Serve a sink on a free port of this machine; ``immediately``: TLS from the first byte on."""
    with _Server(("127.0.0.1", 0), _Conversation) as server:
        server.sink, server.immediately = Sink(server.server_address[1], tls), immediately
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.sink
        finally:
            server.shutdown()
            thread.join()
