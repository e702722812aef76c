# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An API without a network: requests are given to it as they are."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any, NamedTuple

import pytest

from lab.api import identity, kinds
from lab.api.api import Api
from lab.api.calls import Request, Response
from lab.api.rules.validation import Schemas


class Asking(NamedTuple):
    """Sends requests to an API as somebody."""

    api: Api
    token: str = "admin"

    def raw(self, method: str, url: str, body: Any = None, **headers: str) -> Response:
        path, _question, query = url.partition("?")
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {"authorization": f"Bearer {self.token}", "user-agent": "tests/1.0"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.api.answer(
            Request(method, path, urllib.parse.parse_qs(query, keep_blank_values=True), given, content)
        )

    def __call__(self, method: str, url: str, body: Any = None, **headers: str) -> Any:
        """The answer's object."""
        return json.loads(self.raw(method, url, body, **headers).body)

    def refused(self, code: int, method: str, url: str, body: Any = None, **headers: str) -> str:
        """The message of an answer that must have this code."""
        response = self.raw(method, url, body, **headers)
        assert response.code == code, response.body
        status = json.loads(response.body)
        assert (status["kind"], status["status"], status["code"]) == ("Status", "Failure", code)
        message: str = status["message"]
        return message


def asking(calico: str = "crd") -> Asking:
    return Asking(Api(kinds.served(calico), identity.Tokens("admin", b"secret"), Schemas()))


@pytest.fixture
def ask() -> Asking:
    return asking()


def pod(name: str, node: str = "node-1", **labels: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"nodeName": node, "containers": [{"name": "main", "image": "registry.invalid/main:v1"}]},
    }
