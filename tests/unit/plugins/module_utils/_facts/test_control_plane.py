# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._facts import control_plane, typha_names
from ansible_collections.netmedic.calico.plugins.module_utils._host.sockets import TcpSocket

RECORDED = Path(__file__).parent.parent / "_host" / "recorded" / "certificates"
OPERATOR = {
    "KUBERNETES_SERVICE_HOST": "10.96.0.1",
    "KUBERNETES_SERVICE_PORT": "443",
    "FELIX_TYPHAK8SSERVICENAME": "calico-typha",
    "FELIX_TYPHAK8SNAMESPACE": "calico-system",
}


def connection(peer, port, state="ESTABLISHED"):
    return TcpSocket("10.0.0.1", 40000, peer, port, state, 0, 0, 0, 1)


def assembled(environment, found=(), root="", **told_by):
    told = control_plane.Told(environment)
    for who, url in told_by.items():
        told.add(who, url)
    names = {one: control_plane.resolved(one, root) for one in (*told.api, *told.etcd)}
    return control_plane.assemble(told, names, list(found))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://10.0.0.1:6443", ("10.0.0.1", 6443)),
        ("https://[fd00::1]:6443/path", ("fd00::1", 6443)),
        ("[fd00::1]:443", ("fd00::1", 443)),
        ("https://api.example.org", ("api.example.org", 443)),
        ("http://10.0.0.1/", ("10.0.0.1", 80)),
        ("10.0.0.5:5473", ("10.0.0.5", 5473)),
        ("10.0.0.5:99999", None),
        ("10.0.0.5:0", None),
        ("", None),
        ("fd00::1", None),
        ("https://user@host:1", None),
    ],
)
def test_endpoints(url, expected):
    assert control_plane.endpoint(url) == expected


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("clusters:\n- cluster:\n    server: https://10.0.0.1:6443\n", "https://10.0.0.1:6443"),
        ("- cluster:\n    server: 'https://[fd00::1]:443'\n", "https://[fd00::1]:443"),
        ('{\n"server": "https://a:1"\n}', "https://a:1"),
        ("observer: https://10.0.0.1", ""),
        ("", ""),
    ],
)
def test_the_server_in_a_kubeconfig(text, server):
    assert control_plane.server_of(text) == server


def test_everybody_who_was_told_of_an_endpoint_is_named(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hosts").write_text("10.0.0.2 api.local\n")
    found = [connection("10.96.0.1", 443), connection("10.0.0.2", 6443), connection("10.0.0.3", 6443, "SYN_SENT")]

    facts = assembled(
        OPERATOR,
        found,
        str(tmp_path),
        kubelet="https://api.local:6443",
        cni="https://10.96.0.1:443",
        another="https://unknown.example:443",
    )

    assert facts["apiserver"] == {
        "10.96.0.1:443": {"established": 1, "told": ["calico", "cni"]},
        "10.0.0.2:6443": {"established": 1, "told": ["kubelet"], "name": "api.local"},
        "10.0.0.3:6443": {"established": 0, "opening": 1},
        "unknown.example:443": {"told": ["another"], "address": "unknown"},
    }
    assert facts["typha"] == {"service": "calico-system/calico-typha", "connections": {}}


def test_a_typha_with_an_address_of_its_own_port():
    facts = assembled({"FELIX_TYPHAADDR": "10.0.0.5:6000"}, [connection("10.0.0.5", 6000)])

    assert facts == {"typha": {"address": "10.0.0.5:6000", "connections": {"10.0.0.5:6000": {"established": 1}}}}


def test_without_typha_and_with_etcd():
    none = {"FELIX_TYPHAK8SSERVICENAME": "none", "DATASTORE_TYPE": "etcdv3"}
    none["ETCD_ENDPOINTS"] = "https://10.0.0.2:2379,https://10.0.0.3:2379"

    facts = assembled(none, [connection("10.0.0.2", 2379)])

    assert facts == {"etcd": {"10.0.0.2:2379": {"established": 1}, "10.0.0.3:2379": {"established": 0}}}
    assert assembled({}) == {}
    assert control_plane.wanted_typha({"FELIX_TYPHAK8SSERVICENAME": "t"}) == {"service": "kube-system/t"}


def test_names_of_both_ends_can_be_compared():
    def inside(path):
        return str(RECORDED / Path(path).name)

    environment = {
        "TYPHA_CLIENTCN": "typha-client",
        "TYPHA_SERVERCERTFILE": "/typha.pem",
        "TYPHA_CAFILE": "/authority.pem",
    }

    assert typha_names.names(environment, typha_names.SERVER, inside) == {
        "expects": {"cn": "typha-client"},
        "certificate": {
            "cn": "typha-server",
            "uris": ["spiffe://calico/typha"],
            "issuer": "tigera-operator-signer@1700000000",
            "issuer_key": "150ce840b5aedd60",
        },
        "trusts": [{"cn": "tigera-operator-signer@1700000000", "key": "150ce840b5aedd60"}],
    }
    assert typha_names.names({}, typha_names.SERVER, inside) == {}
    assert typha_names.names({"TYPHA_CAFILE": "/none.pem"}, typha_names.SERVER, inside) == {}


@given(st.text(max_size=80))
def test_hostile_settings_are_no_exception(text):
    control_plane.endpoint(text)
    control_plane.server_of(text)
    assembled(
        dict.fromkeys(control_plane.VARIABLES, text.replace("\0", "")), [connection("10.0.0.1", 443)], kubelet=text
    )
