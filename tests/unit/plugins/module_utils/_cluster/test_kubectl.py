# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kubectl as a way to the API: the real one against our server, and what it says when something is wrong."""

from __future__ import annotations

import json
import os
import shutil
import stat

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import (
    access,
    asking,
    client,
    connect,
    greeting,
    kubectl,
    problems,
    read,
)

NOT_YET = (
    "Unable to connect to the server: x509: certificate has expired or is not yet valid: current time "
    "2026-11-21T00:00:00Z is before 2026-11-22T00:00:00Z"
)
real = pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on this host")


@pytest.fixture
def config(api, make_config):
    """A kubeconfig for our server."""
    return make_config(api.url)


@pytest.fixture
def make_config(tmp_path):
    """Make a kubeconfig for a server."""

    def make(server, **cluster):
        return _write_config(tmp_path / "config", server, cluster)

    return make


def _write_config(path, server, cluster):
    found = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": {"token": "canary-token"}}],
        "contexts": [{"name": "lab", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "lab",
    }
    path.write_text(json.dumps(found), encoding="utf-8")
    return str(path)


@pytest.fixture
def fake(tmp_path):
    """Make a kubectl that says something on standard error and fails."""

    def make(text, status=1, out=""):
        path = tmp_path / "kubectl"
        (tmp_path / "err").write_text(text, encoding="utf-8")
        (tmp_path / "out").write_text(out, encoding="utf-8")
        script = '#!/bin/sh\ncase "$*" in *config*view*) echo https://10.0.0.1:6443; exit 0;; esac\n'
        script += f"cat {tmp_path}/out; cat {tmp_path}/err >&2; exit {status}\n"
        path.write_text(script, encoding="utf-8")
        path.chmod(stat.S_IRWXU)
        return str(path)

    return make


@real
def test_the_real_one(api, params, config, monkeypatch, transport, canary):
    fact = read.gather({**params, "kubeconfig": config, "via": "kubectl"}, {}, "/nonexistent")["calico_cluster"]
    monkeypatch.setattr(greeting, "connect", lambda *_arguments: transport)
    other = read.gather(params, {}, "/nonexistent")["calico_cluster"]
    assert (fact["reached"], fact["via"], fact["server"]) == (True, "kubectl", api.url)
    ours = ("via", "taken_at")
    assert {name: fact[name] for name in fact if name not in ours} == {
        name: other[name] for name in other if name not in ours
    }
    assert canary not in json.dumps(fact)
    assert "canary-token" not in json.dumps(fact)


@real
@pytest.mark.parametrize(("code", "status"), [(403, "forbidden"), (404, "absent"), (500, "failed"), (410, "failed")])
def test_what_the_real_one_makes_of_errors(api, params, config, answer_with, monkeypatch, code, status):
    monkeypatch.setattr(asking, "_FIRST_WAIT", 0.01)
    reason = {403: "Forbidden", 404: "NotFound", 500: "InternalError", 410: "Expired"}[code]
    api.hooks["/apis/crd.projectcalico.org/v1/bgppeers"] = answer_with.code(code, reason)
    changes = {"kubeconfig": config, "via": "kubectl", "workloads": False}
    fact = read.gather({**params, **changes}, {}, "/nonexistent")["calico_cluster"]
    assert next(one["status"] for one in fact["sources"] if one["source"] == "bgppeers") == status


@real
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"context": "other"}, "context"),
        ({"host": "https://127.0.0.1:1", "kubeconfig": None}, "There are no credentials for https://127.0.0.1:1"),
    ],
)
def test_what_the_real_one_says(params, config, changes, words):
    wanted = {**params, "kubeconfig": config, "via": "kubectl", **changes}
    fact = read.gather(wanted, {}, "/nonexistent")["calico_cluster"]
    assert fact["reached"] is False
    assert words in fact["why"]


@real
@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("https://127.0.0.1:1", "Nothing listens at https://127.0.0.1:1"),
        ("https://no-such-host.invalid:1", "cannot be resolved"),
        ("http://127.0.0.1:1", "Nothing listens"),
    ],
)
def test_what_the_real_one_says_about_connections(params, make_config, server, words):
    wanted = {**params, "kubeconfig": make_config(server), "via": "kubectl"}
    assert words in read.gather(wanted, {}, "/nonexistent")["calico_cluster"]["why"]


@real
@pytest.mark.parametrize(
    ("when", "words"),
    [({"begins": 1}, "not valid yet"), ({"begins": -9, "ends": -1}, "has expired by this host's clock")],
)
def test_certificates(authority, params, make_config, when, words):
    server = authority.server("-".join(["kubectl", *when]), **when)
    try:
        config = make_config(server.url, **{"certificate-authority": authority.path})
        wanted = {**params, "kubeconfig": config, "via": "kubectl"}
        fact = read.gather(wanted, {}, "/nonexistent")["calico_cluster"]
    finally:
        server.stop()
    assert words in fact["why"]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('Error from server (Forbidden): nodes is forbidden: User "u" cannot list resource "nodes"', 403),
        ("Error from server (NotFound): the server could not find the requested resource", 404),
        ("Error from server (Expired): The provided continue parameter is too old", 410),
        ("Error from server (TooManyRequests): too many", 429),
        ("Error from server (ServiceUnavailable): the server is currently unable to handle the request", 503),
        ("Error from server: etcdserver: request timed out", 500),
        ('Error from server: admission webhook "p.example.org" denied the request: no', 400),
        ('Error from server (Conflict): Operation cannot be fulfilled on nodes "n": the object has been modified', 409),
        ('Error from server (AlreadyExists): nodes "n" already exists', 409),
        ('The IPPool "default" is invalid: spec.ipipMode: Unsupported value: "Sometimes"', 422),
        ('The IPPool "default" is invalid: \n* spec.a: Required value\n* spec.b: Required value', 422),
        ("W1121 warning\nerror: You must be logged in to the server (Unauthorized)", 401),
    ],
)
def test_errors_of_the_server(text, status):
    answer = kubectl.parse_error(text)
    assert answer is not None
    assert answer.status == status


@pytest.mark.parametrize(
    "text", ["", "The connection to the server x was refused", 'error: context "x" does not exist']
)
def test_other_errors(text):
    assert kubectl.parse_error(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?", "listens"),
        ("Unable to connect to the server: dial tcp: lookup api.x on 10.0.0.2:53: no such host", "cannot be resolved"),
        ("Unable to connect to the server: net/http: TLS handshake timeout", "did not answer"),
        ("Unable to connect to the server: context deadline exceeded", "did not answer"),
        (NOT_YET, "is not valid yet"),
        ("Unable to connect to the server: x509: certificate signed by unknown authority", "is not signed by the CA"),
        ("Unable to connect to the server: x509: certificate is valid for 10.96.0.1, not 10.0.0.1", "for other names"),
        ("Unable to connect to the server: http: server gave HTTP response to HTTPS client", "does not speak TLS"),
        (
            "Unable to connect to the server: proxyconnect tcp: dial tcp 10.0.0.9:3128: connect: x",
            "The proxy on the way",
        ),
        ("Unable to connect to the server: dial tcp 10.0.0.1:6443: connect: no route to host", "There is no way"),
        ('error: context "x" does not exist', "kubectl cannot use the kubeconfig"),
        ('error: error loading config file "/x": yaml: line 1', "kubectl cannot use the kubeconfig"),
        ("something new", "could not be reached: something new"),
        ("", "it says nothing"),
    ],
)
def test_complaints(fake, params, config, text, words):
    wanted = {**params, "kubeconfig": config, "via": "kubectl", "kubectl": fake(text)}
    fact = read.gather(wanted, {}, "/nonexistent")["calico_cluster"]
    assert fact["reached"] is False
    assert words in fact["why"]


def test_one_that_hangs(tmp_path, params, config):
    path = tmp_path / "kubectl"
    path.write_text("#!/bin/sh\nsleep 60\n", encoding="utf-8")
    path.chmod(stat.S_IRWXU)
    way = kubectl.Kubectl.__new__(kubectl.Kubectl)
    way.where, way.server, way._argv = "the test", "the API server", [str(path)]
    kubectl_waits, kubectl._LONGER_THAN_IT = kubectl._LONGER_THAN_IT, 0.2
    try:
        for method in ("GET", "POST"):
            with pytest.raises(problems.ApiError, match="did not answer"):
                way.request(method, "/version", (), "", {}, 0.3)
    finally:
        kubectl._LONGER_THAN_IT = kubectl_waits


def test_tokens_do_not_go_into_the_list_of_processes(params, fake):
    for name in ("api_key", "proxy"):
        wanted = {**params, "host": "https://h", name: "http://canary", "via": "kubectl", "kubectl": fake("")}
        with pytest.raises(problems.ApiError, match=f"The option {name} cannot be used with kubectl"):
            connect.connect(wanted, {}, "/nonexistent")


def test_which_is_taken(monkeypatch, params, fake, config):
    own = fake("")
    monkeypatch.setattr(client, "why_not", lambda: "The Python library kubernetes cannot be imported (x is missing)")
    wanted = {**params, "kubeconfig": config, "kubectl": own}
    assert connect.connect(wanted, {}, "/nonexistent").via == "kubectl"
    with pytest.raises(problems.ApiError, match="pip install kubernetes"):
        connect.connect({**wanted, "via": "client"}, {}, "/nonexistent")
    with pytest.raises(problems.ApiError, match="There is no /nonexistent on this host"):
        connect.connect({**wanted, "via": "kubectl", "kubectl": "/nonexistent"}, {}, "/nonexistent")
    assert kubectl.find("/nonexistent") is None


def test_what_is_used_where_nothing_is_given(params, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/root")
    with pytest.raises(problems.ApiError, match="There is no way to the API"):
        access.choose(params, {}, str(tmp_path))
    for path in ("/etc/rancher/k3s/k3s.yaml", "/etc/kubernetes/admin.conf"):
        place = tmp_path / path.lstrip("/")
        place.parent.mkdir(parents=True)
        place.write_text("x", encoding="utf-8")
        assert access.choose(params, {}, str(tmp_path)).where == f"the control plane's kubeconfig {path}"
    account = tmp_path / access.ACCOUNT.lstrip("/")
    account.mkdir(parents=True)
    (account / "token").write_text("t", encoding="utf-8")
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1"}
    found = access.choose(params, environ, str(tmp_path))
    assert (found.host, found.api_key, found.in_cluster) == ("https://[fd00::1]:443", "t", True)
    own = tmp_path / "root" / ".kube" / "config"
    own.parent.mkdir(parents=True)
    own.write_text("x", encoding="utf-8")
    assert access.choose(params, environ, str(tmp_path)).kubeconfig == str(own)
    assert access.choose(params, {"KUBECONFIG": f"/none{os.pathsep}{own}"}, "").kubeconfig == f"/none{os.pathsep}{own}"
    assert access.choose({**params, "host": "h:1"}, environ, "").host == "https://h:1"
    with pytest.raises(problems.ApiError, match="This is no pod"):
        access.choose({**params, "via": "in-cluster"}, {}, "")
    (account / "token").write_text("", encoding="utf-8")
    with pytest.raises(problems.ApiError, match="no token"):
        access.choose({**params, "via": "in-cluster"}, environ, str(tmp_path))
