# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small client of the lab's API for tests and faults: JSON over HTTPS, with the certificates of a kubeconfig.

client.get("/api/v1/nodes/node-1")
client.patch("/apis/crd.projectcalico.org/v1/bgpconfigurations/default", {"spec": {"asNumber": 64600}})
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import tempfile
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from . import api_process
from .errors import LabError

if TYPE_CHECKING:
    from .state import State

CALICO = "/apis/crd.projectcalico.org/v1"
MERGE, STRATEGIC, JSON_PATCH = "merge", "strategic-merge", "json"
_TIMEOUT = 30


class ApiError(LabError):
    """The API refused; `code` is the HTTP status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def kubeconfig(state: State, user: str = "") -> str:
    """Path of a user's kubeconfig ("" is the administrator's); LabError if the lab has no API."""
    if api_process.described(state) is None:
        raise LabError(f"the lab in {state.directory} has no API running")
    return str(state.path(api_process.KUBECONFIG + (f"-{user}" if user else "")))


class Client:
    """One user of the API."""

    def __init__(self, state: State, user: str = "") -> None:
        with open(kubeconfig(state, user), encoding="utf-8") as file:
            settings = read_kubeconfig(file.read())
        self._server = settings["server"].rstrip("/")
        self._context = _context(settings)
        self._token = settings.get("token", "")

    def get(self, path: str) -> dict[str, Any]:
        """An object or a list."""
        return self.request("GET", path)

    def create(self, path: str, obj: dict[str, Any]) -> dict[str, Any]:
        """POST an object to a collection."""
        return self.request("POST", path, obj)

    def replace(self, path: str, obj: dict[str, Any]) -> dict[str, Any]:
        """PUT an object."""
        return self.request("PUT", path, obj)

    def delete(self, path: str) -> dict[str, Any]:
        """DELETE an object."""
        return self.request("DELETE", path)

    def patch(self, path: str, patch: Any, kind: str = MERGE) -> dict[str, Any]:
        """PATCH an object."""
        return self.request("PATCH", path, patch, f"application/{kind}-patch+json")

    def apply(self, path: str, obj: dict[str, Any]) -> dict[str, Any]:
        """Create the object in a collection, or patch the one of its name."""
        try:
            return self.create(path, obj)
        except ApiError as error:
            if error.code != 409:
                raise
            return self.patch(f"{path}/{obj['metadata']['name']}", obj)

    def request(self, method: str, path: str, body: Any = None, content: str = "application/json") -> dict[str, Any]:
        """One request; ApiError if it is refused."""
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = content
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._server + path, data=data, method=method, headers=headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT, context=self._context) as answer:  # noqa: S310
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            raise ApiError(error.code, _message(error.read())) from None
        except OSError as error:
            raise LabError(f"the lab's API does not answer: {error}") from None


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:500]


def read_kubeconfig(text: str) -> dict[str, str]:
    """The scalars of a kubeconfig with one cluster and one user, by their last key; written as YAML or as JSON.

    That is all there is in the lab's own, and spares the lab a YAML reader.
    """
    found: dict[str, str] = {}

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for key, each in value.items():
                if isinstance(each, str):
                    found.setdefault(key, each)
                else:
                    walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)

    try:
        walk(json.loads(text))
    except ValueError:
        for line in text.splitlines():
            key, colon, value = line.strip().removeprefix("- ").partition(":")
            if colon and value.strip():
                found.setdefault(key.strip(), value.strip().strip("\"'"))
    return found


def _context(settings: dict[str, str]) -> ssl.SSLContext:
    authority = _content(settings, "certificate-authority")
    context = ssl.create_default_context(cadata=authority.decode("ascii") if authority else None)
    certificate, key = _content(settings, "client-certificate"), _content(settings, "client-key")
    if certificate and key:
        with tempfile.NamedTemporaryFile() as both:
            both.write(certificate + b"\n" + key)
            both.flush()
            context.load_cert_chain(both.name)
    return context


def _content(settings: dict[str, str], name: str) -> bytes:
    if settings.get(f"{name}-data"):
        return base64.b64decode(settings[f"{name}-data"])
    path = settings.get(name, "")
    if path and os.path.exists(path):
        with open(path, "rb") as file:
            return file.read()
    return b""
