"""Serves the review page: the address it may be reached at, the socket, the life of the process."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address

import uvicorn

from apps.review.app import make_app
from apps.review.guard import Origins
from apps.review.services import Services
from data_contracts.errors import SettingsError
from data_contracts.settings import Review, Settings
from resources.home import Home


@dataclass(frozen=True)
class Served:
    """Where the page answers; ``sign_in`` is the link for who started it, where nobody is named in the settings."""

    url: str
    sign_in: str | None


@dataclass(frozen=True)
class Prepared:
    """A page that listens and does not answer yet."""

    server: uvicorn.Server
    socket: socket.socket
    services: Services
    served: Served


def serve(settings: Settings, home: Home, host: str, port: int, ready: Callable[[Served], None]) -> None:
    """Serve until SIGINT or SIGTERM; ``ready`` hears where. Port 0 is any free one.

    Raises SettingsError when the address is not safe to serve at or cannot be used.
    """
    with prepare(settings, home, host, port) as page:
        ready(page.served)
        # Ctrl-C is how it is ended; the server has closed its connections by then.
        with suppress(KeyboardInterrupt):
            page.server.run(sockets=[page.socket])


@contextmanager
def prepare(settings: Settings, home: Home, host: str, port: int) -> Iterator[Prepared]:
    """Listen and open the stores; everything is closed afterwards. Raises as ``serve`` does."""
    check_address(settings.review, host)
    with _listen(host, port) as listening:
        number: int = listening.getsockname()[1]
        services = Services.make(settings, home, origins(settings.review, host, number))
        try:
            where = served(services, settings.review, host, number)
            yield Prepared(uvicorn.Server(config(services)), listening, services, where)
        finally:
            services.close()


def config(services: Services) -> uvicorn.Config:
    """Return how uvicorn serves the page: no access log (addresses hold what people search for), no proxy's word."""
    return uvicorn.Config(
        make_app(services),
        # h11, unlike the default, bounds how long a request's head may be.
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=32 * 1024,
        limit_concurrency=200,
    )


def check_address(review: Review, host: str) -> None:
    """Raise SettingsError for an address at which passwords and records would cross a network in the clear."""
    if is_loopback(host):
        return
    if review.public_url is None:
        raise SettingsError(
            f"the review page is not served at {host} as it is",
            why="passwords and records would cross the network unencrypted",
            next_step="serve at 127.0.0.1 behind a proxy with https, and set review.public_url to its address",
        )
    if not review.accounts and review.proxy is None:
        raise SettingsError(
            "review.accounts names nobody",
            why="without accounts the page is for who starts it, on this machine only",
            next_step="name people in review.accounts; a hash comes from: crosswalk review --hash-password",
        )


def origins(review: Review, host: str, port: int) -> Origins:
    """Return the host names the page answers to: a foreign name that leads here is an attack (DNS rebinding)."""
    if review.public_url:
        return Origins(frozenset({review.public_url.rstrip("/").removeprefix("https://").lower()}), secure=True)
    names = ("localhost", "127.0.0.1", "[::1]", _bracketed(host))
    # A browser leaves out the port that http has anyway.
    return Origins(frozenset(name if port == 80 else f"{name}:{port}" for name in names), secure=False)


def served(services: Services, review: Review, host: str, port: int) -> Served:
    """Return where people open the page."""
    url = review.public_url.rstrip("/") if review.public_url else f"http://{_bracketed(host)}:{port}"
    local = services.accounts.local
    return Served(url, f"{url}/sign-in?ticket={services.ticket.token}" if local else None)


def is_loopback(host: str) -> bool:
    """Return whether ``host`` can be reached from this machine only."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise SettingsError(
            f"the review page cannot be served at {host}:{port}",
            why=str(error.strerror or error),
            next_step="choose another with --port, or 0 for any free one",
        ) from error
    return listening
