# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS for the emulated API: HTTP/1.1 with kept connections and chunked watches, one thread per connection.

Threads of the standard library, because the store is shared with a controller that uses threads too, and a lab has few
clients. Requests of HTTP/2 are never offered (no ALPN), which every client accepts.
"""

from __future__ import annotations

import contextlib
import http.server
import select
import socket
import ssl
import threading
import urllib.parse
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from .calls import BROKEN, Request, Response, answer
from .errors import ApiError
from .listening import BACKLOG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    Answer = Callable[[Request], Response]

LARGEST_BODY = 3 * 1024 * 1024
_DRAINED = 16 * LARGEST_BODY
HANDSHAKE_SECONDS = 10.0
IDLE_SECONDS = 300.0
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def tls(certificate: Path, key: Path) -> ssl.SSLContext:
    """The server's side of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


class Server:
    """Answers requests on listening sockets until it is stopped."""

    def __init__(self, answer: Answer, context: ssl.SSLContext) -> None:
        self._answer = answer
        self._context = context
        self._listeners: dict[_Listener, threading.Thread | None] = {}
        self._lock = threading.Lock()

    def listen(self, listener: socket.socket) -> None:
        """Serve a bound socket too."""
        made = _Listener(listener, self._answer, self._context)
        with self._lock:
            self._listeners[made] = _served(made)

    def refuse(self) -> None:
        """Refuse connections and break those that are open, as a dead server does; the sockets stay bound."""
        with self._lock:
            for made, thread in self._listeners.items():
                if thread is not None:
                    made.shutdown()
                    thread.join()
                    # Linux takes a listening socket back to "bound" so; new connections are reset.
                    with contextlib.suppress(OSError):
                        made.socket.shutdown(socket.SHUT_RDWR)
                    made.break_connections()
                    self._listeners[made] = None

    def resume(self) -> None:
        """Listen again after `refuse`."""
        with self._lock:
            for made, thread in self._listeners.items():
                if thread is None:
                    made.socket.listen(BACKLOG)
                    self._listeners[made] = _served(made)

    def stop(self) -> None:
        """Stop listening for good and break every connection."""
        self.refuse()
        for made in self._listeners:
            made.server_close()
        self._listeners.clear()


def _served(listener: _Listener) -> threading.Thread:
    thread = threading.Thread(target=listener.serve_forever, args=(0.1,), daemon=True, name="api-listener")
    thread.start()
    return thread


class _Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, listener: socket.socket, answer: Answer, context: ssl.SSLContext) -> None:
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.answer = answer
        self.context = context
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """The handshake is made in the connection's own thread: a client that stalls in it stalls nobody else."""
        try:
            request.settimeout(HANDSHAKE_SECONDS)
            secured = self.context.wrap_socket(request, server_side=True)
        except (OSError, ValueError):
            self.shutdown_request(request)
            return
        secured.settimeout(IDLE_SECONDS)
        secured.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open.add(secured)
        try:
            super().process_request_thread(secured, client_address)
        finally:
            with self._lock:
                self._open.discard(secured)

    def break_connections(self) -> None:
        """End every connection as a crash would."""
        with self._lock:
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener
    wbufsize = 65536

    def __getattr__(self, name: str) -> Any:
        """Every method is handled in the same way."""
        if name.startswith("do_") and name[3:] in _METHODS:
            return self._handle
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        """Keep still."""

    def _handle(self) -> None:
        body = self._body()
        if body is None:
            message = f"Request entity too large: limit is {LARGEST_BODY}"
            self._send(answer(ApiError(413, "RequestEntityTooLarge", message).status(), 413))
            self.close_connection = True
            return
        parts = urllib.parse.urlsplit(self.path)
        request = Request(
            method=self.command,
            path=urllib.parse.unquote(parts.path),
            query=urllib.parse.parse_qs(parts.query, keep_blank_values=True),
            headers=_joined(self.headers.items()),
            body=body,
            alive=self._is_connected,
        )
        response = self.server.answer(request)
        if response is BROKEN:
            self.close_connection = True
            self.connection.close()
        else:
            self._send(response)

    def _body(self) -> bytes | None:
        """The request's body, None if it is too large."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            # A client that is still writing does not read: take what it has to say, within limits.
            left = min(int(length), _DRAINED) if length.isdecimal() else 0
            while left > 0 and (part := self.rfile.read(min(left, 1 << 16))):
                left -= len(part)
            return None
        return self.rfile.read(int(length)) if int(length) else b""

    def _chunks(self) -> bytes | None:
        found = bytearray()
        while True:
            size = int(self.rfile.readline(100).split(b";")[0].strip() or b"0", 16)
            if not size:
                while self.rfile.readline(1000).strip():
                    continue
                return bytes(found)
            if len(found) + size > LARGEST_BODY:
                return None
            found += self.rfile.read(size)
            self.rfile.readline(10)

    def _is_connected(self) -> bool:
        """Whether the client still listens: it sends nothing while it waits, so readable means closed."""
        connection = self.connection
        pending = getattr(connection, "pending", None)
        if pending is not None and pending():
            return True
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        return not poll.poll(0)

    def _send(self, response: Response) -> None:
        self.send_response_only(response.code)
        headers = [("Date", formatdate(usegmt=True)), ("Content-Type", response.content_type), *response.headers]
        if not any(name == "Cache-Control" for name, _value in headers):
            headers.append(("Cache-Control", "no-cache, private"))
        streamed = response.chunks is not None
        headers.append(("Transfer-Encoding", "chunked") if streamed else ("Content-Length", str(len(response.body))))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if response.chunks is not None:
            self._stream(response.chunks)
        elif self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()

    def _stream(self, chunks: Iterator[bytes]) -> None:
        # The head goes out at once: clients wait for it before they believe that the watch has begun.
        self.wfile.flush()
        with contextlib.closing(chunks):  # type: ignore[type-var]
            for chunk in chunks:
                if chunk:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                    self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")


def _joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by lower-case name; repeated ones with commas between."""
    found: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        found[key] = f"{found[key]},{value}" if key in found else value
    return found
