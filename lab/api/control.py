# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own channel into the API, on a UNIX socket in the state directory: it works while the API is "down".

    GET    /disturbances         what is switched on (a list, see `rules.disturbances`)
    PUT    /disturbances         switch on exactly the list in the body
    POST   /disturbances         switch on one more, the object in the body
    DELETE /disturbances         all off
    POST   /cut                  end all open watches
    POST   /forget               forget history and unfinished lists: 410 Gone for who comes back

Answers are JSON; 400 with {"message": …} for what cannot be switched on. `call` is the client.
"""

from __future__ import annotations

import http.client
import http.server
import json
import socket
import socketserver
import threading
from typing import TYPE_CHECKING, Any

from ..errors import LabError
from .rules.disturbances import BadSettingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .api import Api

SOCKET = "control"
_SECONDS = 30.0


class Control:
    """Serves the channel until it is stopped. `changed` is called after every change of the disturbances."""

    def __init__(self, path: Path, api: Api, changed: Callable[[], None]) -> None:
        path.unlink(missing_ok=True)
        self._server = _Server(str(path), _Handler)
        path.chmod(0o600)
        self._server.api = api
        self._server.changed = changed
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.2,), daemon=True, name="api-control")
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    api: Api
    changed: Callable[[], None]


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """What is switched on."""
        self._answer()

    do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        """Keep still."""

    def address_string(self) -> str:
        """A UNIX socket's client has no address."""
        return ""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        found: Any
        try:
            found = done(self.server.api, self.command, self.path, body)
            code = 404 if found is None else 200
        except BadSettingError as error:
            code, found = 400, {"message": str(error)}
        if self.command != "GET":
            self.server.changed()
        content = json.dumps(found).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def done(api: Api, method: str, path: str, body: bytes) -> Any:
    """Do what a request wants and return the answer, None for one that means nothing; BadSettingError."""
    actions: dict[tuple[str, str], Callable[[], object]] = {
        ("GET", "/disturbances"): lambda: None,
        ("PUT", "/disturbances"): lambda: api.disturbances.set(body),
        ("POST", "/disturbances"): lambda: api.disturbances.add(body),
        ("DELETE", "/disturbances"): lambda: api.disturbances.set([]),
        ("POST", "/cut"): api.cut_watches,
        ("POST", "/forget"): api.forget,
    }
    action = actions.get((method, path))
    if action is None:
        return None
    action()
    return api.disturbances.settings()


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket in the file system."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_SECONDS)
        self.sock.connect(self._path)


def call(path: Path, method: str, action: str, content: Any = None) -> Any:
    """Ask the API behind the socket at `path`, for instance `call(path, "PUT", "/disturbances", [{…}])`; LabError."""
    connection = _Connection(str(path))
    try:
        connection.request(method, action, None if content is None else json.dumps(content))
        response = connection.getresponse()
        found = json.loads(response.read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise LabError(f"the API's control channel does not answer: {error}") from None
    finally:
        connection.close()
    if response.status != 200:
        raise LabError(f"the API refused: {(found or {}).get('message', action)}")
    return found
