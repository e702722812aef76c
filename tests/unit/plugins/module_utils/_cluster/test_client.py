# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubernetes client as a way to the API: kubeconfigs, TLS, proxies, tokens, each mistake with its sentence."""

from __future__ import annotations

import base64
import email.message
import json
import os
import socket
import threading
import time

import pytest

pytest.importorskip("kubernetes")

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import (
    access,
    asking,
    client,
    greeting,
    problems,
    read,
)

SECONDS = 3.0


@pytest.fixture
def why(params, monkeypatch):
    """Return why the API is not reached with these options."""
    monkeypatch.setattr(asking, "_FIRST_WAIT", 0.01)

    def run(**changes):
        fact = read.gather({**params, "timeout": SECONDS, **changes}, {"HOME": "/nonexistent"}, "/nonexistent")
        assert fact["calico_cluster"]["reached"] is False
        return fact["calico_cluster"]["why"]

    return run


def kubeconfig(folder, server, name="config", user=None, **cluster):
    path = folder / name
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [{"name": "lab", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "lab",
    }
    path.write_text(json.dumps(config), encoding="utf-8")
    return str(path)


def token(**claims):
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.signature"


def test_by_kubeconfig(api, params, tmp_path):
    path = kubeconfig(tmp_path, api.url, user={"token": "canary-token"})
    fact = read.gather({**params, "kubeconfig": path}, {}, "/nonexistent")["calico_cluster"]
    assert (fact["reached"], fact["via"], fact["server"]) == (True, "kubernetes client", api.url)
    assert len(fact["objects"]["nodes"]) == 3
    assert {one.get("authorization") or one.get("Authorization") for one in api.headers} == {"Bearer canary-token"}
    assert "canary-token" not in json.dumps(fact)


def test_the_same_as_by_other_ways(api, params, transport, monkeypatch):
    by_client = read.gather({**params, "host": api.url}, {}, "/nonexistent")["calico_cluster"]
    monkeypatch.setattr(greeting, "connect", lambda *_arguments: transport)
    by_other = read.gather(params, {}, "/nonexistent")["calico_cluster"]
    assert {**by_client, "via": ""} == {**by_other, "via": ""}


def test_in_a_pod(api, params, tmp_path):
    account = tmp_path / access.ACCOUNT.lstrip("/")
    account.mkdir(parents=True)
    (account / "token").write_text("canary-token\n", encoding="utf-8")
    host, port = api.url[7:].split(":")
    environ = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
    way = client.Client(access.choose({**params, "via": "in-cluster"}, environ, str(tmp_path)))
    assert way.via == "in-cluster"
    assert way.server == f"https://127.0.0.1:{port}"


def test_tls(authority, params):
    server = authority.server()
    try:
        fact = read.gather({**params, "host": server.url, "ca_cert": authority.path}, {}, "/nonexistent")
        assert fact["calico_cluster"]["reached"] is True
        fact = read.gather({**params, "host": server.url, "validate_certs": False}, {}, "/nonexistent")
        assert fact["calico_cluster"]["reached"] is True
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ({"begins": 1}, "is not valid yet by this host's clock"),
        ({"begins": -9, "ends": -1}, "has expired by this host's clock"),
        ({"address": "10.9.9.9"}, "is for other names"),
    ],
)
def test_certificates_that_do_not_fit(authority, why, when, words):
    server = authority.server("-".join(when), **when)
    try:
        said = why(host=server.url, ca_cert=authority.path)
    finally:
        server.stop()
    assert words in said
    assert server.url in said


def test_a_certificate_of_another_authority(authority, why):
    server = authority.server()
    try:
        assert "is not signed by the CA from the option host" in why(host=server.url)
    finally:
        server.stop()


def test_plain_where_tls_is_spoken_and_the_other_way_round(api, why):
    assert "does not speak TLS" in why(host=api.url.replace("http:", "https:"))


def test_nobody_and_no_name(why):
    assert "Nothing listens at https://127.0.0.1:1 (connection refused)" in why(host="127.0.0.1:1")
    assert "cannot be resolved" in why(host="https://no-such-host.invalid:6443")


def test_silence(why):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        began = time.monotonic()
        said = why(host=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=0.5)
    assert "did not answer within" in said
    assert time.monotonic() - began < 5


def test_drips(api, why, answer_with):
    api.hooks["/version"] = answer_with.slow(8, b" ")
    began = time.monotonic()
    assert "did not answer within" in why(host=api.url, timeout=0.5)
    assert time.monotonic() - began < 5


def test_proxies(why):
    refused = why(host="https://10.9.9.9:6443", proxy="http://user:canary@127.0.0.1:1")
    assert "The proxy on the way to https://10.9.9.9:6443 does not pass" in refused
    assert "canary" not in refused
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)

        def answer():
            for _number in range(8):
                connection, _peer = listener.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        said = why(host="https://10.9.9.9:6443", proxy=f"http://127.0.0.1:{listener.getsockname()[1]}")
    assert "wants a user and password (407)" in said


def test_redirects_are_not_followed(api, why, answer_with):
    api.hooks["/version"] = answer_with.code(302, headers=[("Location", f"{api.url}/elsewhere")])
    assert "redirects elsewhere (302)" in why(host=api.url, api_key="canary-token")
    assert "/elsewhere" not in api.paths()


def test_an_expired_token_is_named(api, why, answer_with):
    api.hooks["/version"] = answer_with.code(401, "Unauthorized")
    said = why(host=api.url, api_key=token(exp=1600000000))
    assert "the token, which expired at 2020-09-13T12:26:40Z" in said
    assert "have expired, were revoked" in why(host=api.url, api_key=token(exp=9e9))


def test_an_expired_client_certificate_is_named(why, answer_with, authority, tmp_path):
    certificate, key = authority.issue("old-client", begins=-9, ends=-1)
    server = authority.server()
    server.hooks["/version"] = answer_with.code(401, "Unauthorized")
    user, cluster = {"client-certificate": certificate, "client-key": key}, {"certificate-authority": authority.path}
    try:
        said = why(kubeconfig=kubeconfig(tmp_path, server.url, user=user, **cluster))
    finally:
        server.stop()
    assert "the client certificate in the kubeconfig, which expired at" in said


@pytest.mark.parametrize("value", ["", "x", "a.b.c", "a.bm90IGpzb24.c", "a.W10.c", token(exp="soon"), token(exp=True)])
def test_other_tokens_do_not_tell_when_they_expire(value):
    assert client.expiry_of_token(value) is None


@pytest.mark.parametrize(
    "text",
    ["[]", "{", "a: [", "text", "apiVersion: v1", "\x00", "clusters: 5\ncontexts: 6\nusers: 7\ncurrent-context: 8"],
)
def test_kubeconfigs_that_are_none(why, tmp_path, text):
    path = tmp_path / "config"
    path.write_text(text, encoding="utf-8")
    said = why(kubeconfig=str(path))
    assert f"kubeconfig {path} is no usable kubeconfig" in said


def test_kubeconfigs_that_are_not_there(why, tmp_path):
    empty = tmp_path / "empty"
    empty.write_text("", encoding="utf-8")
    assert f"The kubeconfig {empty} is empty" in why(kubeconfig=str(empty))
    assert "No such file" in why(kubeconfig=str(tmp_path / "none"))
    assert "is no file" in why(kubeconfig=str(tmp_path))
    assert "There is no way to the API" in why(via="client")


def test_a_kubeconfig_that_names_files_which_are_not_there(api, why, tmp_path):
    path = kubeconfig(tmp_path, "https://127.0.0.1:1", **{"certificate-authority": "/nonexistent/ca.crt"})
    assert "/nonexistent/ca.crt" in why(kubeconfig=path)


def test_a_context_that_is_not_there(api, why, tmp_path):
    path = kubeconfig(tmp_path, api.url)
    assert f"There is no context other in the kubeconfig {path}; there are: lab." in why(
        kubeconfig=path, context="other"
    )


@pytest.mark.parametrize(
    "user",
    [
        {"exec": {"command": "/no/such", "args": ["canary"]}},
        {"exec": {"command": "/bin/sh", "args": ["-c", "echo canary; echo canary >&2; exit 3"]}},
        {"auth-provider": {"name": "oidc", "config": {"id-token": "canary", "idp-issuer-url": "https://127.0.0.1:1"}}},
    ],
)
def test_a_plugin_that_fails(api, why, tmp_path, user, capfd, caplog):
    if "exec" in user:
        user["exec"].update(apiVersion="client.authentication.k8s.io/v1", interactiveMode="Never")
    said = why(kubeconfig=kubeconfig(tmp_path, api.url, user=user))
    assert said.startswith("Nobody is logged in to the API with the kubeconfig ")
    assert "canary" not in said + "".join(capfd.readouterr()) + caplog.text


def test_nobody_is_logged_in(api, why, tmp_path, monkeypatch):
    answer = {"kind": "Status", "message": 'forbidden: User "system:anonymous" cannot get path "/api"'}

    class Forbidding:
        status = 403
        headers = email.message.Message()

        def stream(self, *_size, **_more):
            yield json.dumps(answer).encode()

        def release_conn(self):
            pass

        def close(self):
            pass

    made = client.Client.__init__

    def init(self, *arguments):
        made(self, *arguments)
        plain = self._pool.request
        monkeypatch.setattr(
            self._pool,
            "request",
            lambda method, url, **more: plain(method, url, **more) if url.endswith("/version") else Forbidding(),
        )

    monkeypatch.setattr(client.Client, "__init__", init)
    assert why(kubeconfig=kubeconfig(tmp_path, api.url)).startswith("Nobody is logged in")


def test_a_kubeconfig_without_a_server(why, tmp_path):
    path = kubeconfig(tmp_path, None, user={"token": "t"}, **{"certificate-authority-data": "canary"})
    config = json.loads((tmp_path / "config").read_text(encoding="utf-8"))
    for server in ({}, {"server": None}):
        config["clusters"][0]["cluster"] = {"certificate-authority-data": "canary", **server}
        (tmp_path / "config").write_text(json.dumps(config), encoding="utf-8")
        said = why(kubeconfig=path)
        assert "server" in said
        assert "canary" not in said


def test_a_library_that_is_missing(monkeypatch, why):
    monkeypatch.setattr(client, "why_not", lambda: "The Python library kubernetes cannot be imported (yaml is missing)")
    said = why(host="http://127.0.0.1:1", via="client")
    assert "yaml is missing" in said
    assert "pip install kubernetes" in said
    monkeypatch.setattr(problems, "CONFIG", "config")
    assert "there is no /nonexistent/kubectl on this host either" in why(host="h", kubectl="/nonexistent/kubectl")


def test_the_kubeconfig_is_not_written(api, params, tmp_path):
    path = kubeconfig(tmp_path, api.url, user={"token": "t"})
    before = os.stat(path).st_mtime_ns
    read.gather({**params, "kubeconfig": path}, {}, "/nonexistent")
    assert os.stat(path).st_mtime_ns == before
