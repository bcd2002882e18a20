"""A mail server for tests: speaks enough SMTP (RFC 5321, AUTH PLAIN) to take mails, and keeps them."""

import base64
import socketserver
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
    """What arrived; ``refuse`` makes it turn down every recipient from then on."""

    port: int = 0
    mails: list[Mail] = field(default_factory=list)
    signed_in: list[tuple[str, str]] = field(default_factory=list)
    refuse: bool = False


class _Server(socketserver.TCPServer):
    sink: Sink


def _bye(_: str) -> str:
    return "221 bye"


class _Conversation(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.recipients: list[str] = []
        self.say("220 sink")
        for raw in self.rfile:
            verb, line = raw[:4].upper(), raw.decode().strip()
            answers = {b"EHLO": self.greet, b"AUTH": self.sign_in, b"RCPT": self.add, b"DATA": self.take, b"QUIT": _bye}
            self.say(answers.get(verb, lambda _: "250 ok")(line))
            if verb == b"QUIT":
                return

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def greet(self, _: str) -> str:
        return "250-sink\r\n250 AUTH PLAIN"

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
def smtp_sink() -> Iterator[Sink]:
    """Serve a sink on a free port of this machine."""
    with _Server(("127.0.0.1", 0), _Conversation) as server:
        server.sink = Sink(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.sink
        finally:
            server.shutdown()
            thread.join()
