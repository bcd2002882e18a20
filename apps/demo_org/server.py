"""Starts and stops the demo org: data, certificates, sockets, the ready line.

Belongs here: the life of the process. What it answers is in the endpoints.
"""

import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from apps.demo_org.app import make_app, open_org
from apps.demo_org.certificates import make_certificates, make_consumer_key
from apps.demo_org.errors import DemoOrgError
from apps.demo_org.launch import PARENT_VARIABLE
from apps.demo_org.org import DemoOrgState

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServeOptions:
    """What ``crosswalk demo-org serve`` was asked for; a port of 0 means any free one, None no plain HTTP."""

    data: Path | None
    port: int
    http_port: int | None = None
    faults: Path | None = None
    request_log: Path | None = None


@dataclass(frozen=True)
class ReadyLine:
    """The one line on standard output; its fields are part of the interface."""

    url: str
    http_url: str | None
    ca_file: str
    access_token: str
    client_id: str
    client_secret: str
    private_key_file: str
    username: str
    org_id: str
    password: str
    security_token: str


class _Protocol(HttpToolsProtocol):
    """Hands the transport to the application, for the fault that breaks the connection."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        # The type says dict, but an extension may hold what its two ends agree on.
        self.scope["extensions"] = cast(dict[str, dict[object, object]], {"crosswalk.transport": self.transport})


class _Server(uvicorn.Server):
    """Leaves the signals to ``_run``, which stops several servers and exits with 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, without waiting for clients that keep an idle connection open."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, _Protocol) and (connection.cycle is None or connection.cycle.response_complete):
                connection.transport.abort()
        await super().shutdown(sockets)


def serve(options: ServeOptions, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; ``say`` gets the ready line. Raises ``DemoOrgError``."""
    # Loading may take a while; stopped meanwhile, the files go too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.ExitStack() as stack:
        tls_socket = stack.enter_context(_listen(options.port))
        http_socket = None if options.http_port is None else stack.enter_context(_listen(options.http_port))
        directory = Path(tempfile.mkdtemp(prefix="crosswalk-demo-org-")).resolve()
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        public_key = make_consumer_key(directory / "consumer.key")
        org = stack.enter_context(
            open_org(options.data, directory, public_key, faults=options.faults, request_log=options.request_log)
        )
        certificates = make_certificates(directory)
        tls: dict[str, Any] = {
            "ssl_certfile": str(certificates.certificate_file),
            "ssl_keyfile": str(certificates.key_file),
        }
        servers = [(_server(org, **tls), tls_socket)]
        if http_socket is not None:
            servers.append((_server(org), http_socket))
        line = ReadyLine(
            url=f"https://localhost:{tls_socket.getsockname()[1]}",
            http_url=f"http://localhost:{http_socket.getsockname()[1]}" if http_socket else None,
            ca_file=str(certificates.ca_file),
            access_token=_access_token(org),
            client_id=org.app.client_id,
            client_secret=org.app.client_secret,
            private_key_file=str(directory / "consumer.key"),
            username=_run_as(org)["Username"],
            org_id=org.org_id,
            password=org.password,
            security_token=org.security_token,
        )
        with asyncio.Runner(loop_factory=servers[0][0].config.get_loop_factory()) as runner:
            runner.run(_run(servers, lambda: say(json.dumps(asdict(line)))))


def _access_token(org: DemoOrgState) -> str:
    user = _run_as(org)
    return org.sessions.issue(user["Id"], user["Username"], scope="full").token


def _run_as(org: DemoOrgState) -> dict[str, Any]:
    """Return the User record everything starts with."""
    user = org.find_user(org.app.run_as or "")
    if user is None:
        raise DemoOrgError(f"The org has no user {org.app.run_as}.")
    return user


def _listen(port: int) -> socket.socket:
    """Bind the loopback port; the connection queue is that of a busy server."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise DemoOrgError(
            f"Port {port} cannot be used.",
            why=f"{error.strerror or error}",
            next_step="Choose another with --port (or --http), or 0 for any free one.",
        ) from error
    return listening


def _server(org: DemoOrgState, **tls: Any) -> _Server:
    config = uvicorn.Config(
        make_app(org),
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
        **tls,
    )
    return _Server(config)


async def _run(servers: list[tuple[_Server, socket.socket]], ready: Callable[[], None]) -> None:
    """Run the servers until a signal, or until the parent is gone."""

    def stop() -> None:
        for server, _ in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    tasks = [asyncio.create_task(server.serve(sockets=[listening])) for server, listening in servers]
    while not all(server.started for server, _ in servers):
        if any(task.done() for task in tasks):
            break
        await asyncio.sleep(0.01)
    else:
        ready()
    watch = asyncio.create_task(_stop_with_parent(stop))
    await asyncio.gather(*tasks)
    watch.cancel()


async def _stop_with_parent(stop: Callable[[], None]) -> None:
    parent = os.environ.get(PARENT_VARIABLE, "")
    while parent.isdigit():
        await asyncio.sleep(1)
        if os.getppid() != int(parent):
            _log.info("The process that started the demo org is gone; stopping.")
            stop()
            return
