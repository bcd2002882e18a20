"""An HTTP proxy that sends every CONNECT to a Salesforce host to a port of this machine.

With it a client that insists on real host names reaches the demo org unmodified, TLS checks included.
Any other host is refused: a test never leaves the machine.
"""

import re
import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_CONNECT = re.compile(rb"CONNECT ([\w.-]+):443 HTTP/1\.[01]")


class _Redirector(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    target_port = 0


class _Handler(socketserver.BaseRequestHandler):
    server: _Redirector

    def handle(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head and (piece := self.request.recv(4096)):
            head += piece
        match = _CONNECT.match(head)
        if match is None or not match[1].endswith(b".salesforce.com"):
            self.request.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", self.server.target_port)) as upstream:
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            ends = {self.request: upstream, upstream: self.request}
            while True:
                for ready in select.select(list(ends), [], [])[0]:
                    data = ready.recv(1 << 16)
                    if not data:
                        return
                    ends[ready].sendall(data)


@contextmanager
def connect_redirector(port: int) -> Iterator[str]:
    """Serve until the block ends; gives the proxy's address."""
    with _Redirector(("127.0.0.1", 0), _Handler) as server:
        server.target_port = port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
