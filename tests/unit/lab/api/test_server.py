# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS, the daemon's files, and its control channel."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import ssl
import tempfile
import time
from pathlib import Path

import pytest

from lab.api import control, daemon
from lab.errors import LabError
from lab.state import State


@pytest.fixture
def running():
    directory = Path(tempfile.mkdtemp(prefix="nm-api-", dir="/tmp"))
    started = daemon.start(str(directory), controlled=False)
    yield started, directory
    started.stop()
    shutil.rmtree(directory)


@pytest.fixture
def access(running):
    return daemon.access(State(running[1]))


def connect(access):
    context = ssl.create_default_context(cafile=access["certificate_authority"])
    return http.client.HTTPSConnection("127.0.0.1", access["port"], context=context, timeout=10)


def ask(connection, running, method, path, body=None, **headers):
    bearer = {"Authorization": f"Bearer {running[0].api.tokens.administrator}", **headers}
    connection.request(method, path, body, bearer)
    reply = connection.getresponse()
    return reply.status, reply.read()


def test_one_connection_serves_many_requests(running, access):
    connection = connect(access)
    for _number in range(3):
        status, body = ask(connection, running, "GET", "/api/v1/namespaces")
        assert (status, json.loads(body)["kind"]) == (200, "NamespaceList")
    made = json.dumps({"metadata": {"name": "x"}})
    assert ask(connection, running, "POST", "/api/v1/namespaces", made)[0] == 201
    assert ask(connection, running, "GET", "/api/v1/namespaces/x")[0] == 200
    connection.request("GET", "/api/v1/nodes")
    reply = connection.getresponse()
    assert (reply.status, reply.getheader("Date") is not None) == (403, True)
    assert b"system:anonymous" in reply.read()


def test_bodies_in_chunks_and_bodies_too_large(running, access):
    connection = connect(access)
    parts = iter([b'{"metadata": ', b'{"name": "y"}}'])
    assert ask(connection, running, "POST", "/api/v1/namespaces", parts)[0] == 201
    assert ask(connection, running, "POST", "/api/v1/namespaces", b" " * (4 << 20))[0] == 413


def test_a_watch_is_a_stream(running, access):
    connection = connect(access)
    bearer = {"Authorization": f"Bearer {running[0].api.tokens.administrator}"}
    connection.request("GET", "/api/v1/configmaps?watch=1", headers=bearer)
    reply = connection.getresponse()
    store = running[0].api.store
    store.create(store.kinds.find("configmaps"), "default", {"metadata": {"name": "a"}})
    assert json.loads(reply.readline())["object"]["metadata"]["name"] == "a"
    control.call(Path(access["control"]), "POST", "/cut")
    assert reply.read() == b""


def test_a_stalled_handshake_stalls_nobody_else(running, access):
    with socket.create_connection(("127.0.0.1", access["port"])):
        started = time.monotonic()
        assert ask(connect(access), running, "GET", "/version")[0] == 200
        assert time.monotonic() - started < 5


def test_down_refuses_connections_until_it_is_up_again(running, access):
    path = Path(access["control"])
    kept = connect(access)
    assert ask(kept, running, "GET", "/version")[0] == 200
    control.call(path, "PUT", "/disturbances", [{"what": "down"}])
    with pytest.raises(ConnectionRefusedError):
        connect(access).connect()
    with pytest.raises((OSError, http.client.HTTPException)):
        ask(kept, running, "GET", "/version")
    assert control.call(path, "GET", "/disturbances") == [{"what": "down"}]
    assert control.call(path, "DELETE", "/disturbances") == []
    assert ask(connect(access), running, "GET", "/version")[0] == 200


def test_the_control_channel_says_what_is_wrong(access):
    with pytest.raises(LabError, match="refused"):
        control.call(Path(access["control"]), "PUT", "/disturbances", [{"what": "nonsense"}])
    with pytest.raises(LabError, match="refused"):
        control.call(Path(access["control"]), "POST", "/nonsense")
    with pytest.raises(LabError, match="does not answer"):
        control.call(Path("/nowhere"), "GET", "/disturbances")


def test_secrets_are_for_their_owner_only(running):
    for name in ("kubeconfig", "kubeconfig-netmedic", "api/server.key", "api/control", "api.json"):
        assert (running[1] / name).stat().st_mode & 0o077 == 0, name


def test_without_an_api_there_is_no_access(tmp_path):
    with pytest.raises(LabError, match="no API runs"):
        daemon.access(State(tmp_path))
