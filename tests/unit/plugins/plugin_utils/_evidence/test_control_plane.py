# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import control_plane
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.control_plane import Connections, Tls

# As RETURN of node_facts and firewall_facts shows them.
FACTS = {
    "calico_node": {
        "host": {
            "kubelet": {"process": "kubelet", "started_seconds_ago": 86000, "node_ip": "10.200.0.9"},
            "container_runtime": {"running": False, "socket_missing": "/run/containerd/containerd.sock"},
            "cni": {"files": ["10-calico.conflist"], "plugin": "calico", "token_expires_in_seconds": -5},
            "certificates": [
                {
                    "path": "/etc/kubernetes/pki/apiserver.crt",
                    "state": "expired",
                    "not_before": "2025-11-20T00:00:00Z",
                    "not_after": "2026-11-20T00:00:00Z",
                }
            ],
            "control_plane": {
                "apiserver": {
                    "10.96.0.1:443": {"established": 0, "opening": 1, "opened_by": ["calico-node"], "told": ["calico"]},
                    "api.example.org:6443": {"established": 0, "told": ["kubelet"], "address": "unknown"},
                    "[fd00::1]:6443": {"established": 2, "retransmitting": 2, "opening": 1},
                },
                "typha": {
                    "service": "calico-system/calico-typha",
                    "connections": {"10.0.0.5:5473": {"established": 1}},
                    "expects": {"cn": "typha-server"},
                    "certificate": {"cn": "typha-client", "issuer": "tigera-signer", "issuer_key": "150ce840b5aedd60"},
                    "trusts": [{"cn": "tigera-signer", "key": "150ce840b5aedd60"}],
                },
                "felix": {"state": "not_ready", "parts": {"CalculationGraph": "reporting non-ready"}},
                "typha_here": {"state": "ready", "listens": True, "clients": 12},
            },
            "log": [
                {
                    "at": "2026-11-21T00:00:00Z",
                    "component": "felix",
                    "kind": "tunnel",
                    "text": "Failed to get tunnel device, retrying... error=Link not found",
                }
            ],
        }
    },
    "calico_chrony": {"offset_to_controller_seconds": -90.5, "offset_to_controller_error_seconds": 0.06},
    "calico_firewall": {
        "flows": {
            "accepted": ["ipip"],
            "inbound": [
                {
                    "flows": ["udp4789", "tcp5473"],
                    "verdict": "drop",
                    "peers": {"10.200.0": "9-10"},
                    "rule": {"backend": "iptables-nft", "table": "filter", "chain": "INPUT", "text": "-P INPUT DROP"},
                },
                {"flows": ["udp4789"], "verdict": "drop"},
                {"flows": ["tcp5473"], "verdict": "unknown"},
            ],
            "outbound": [{"flows": ["tcp5473"], "verdict": "reject"}],
        }
    },
}


def test_everything_that_a_node_tells_is_read():
    read = control_plane.read(FACTS)
    first, second, third = read.apiserver
    assert (first.endpoint, first.address, first.unanswered) == ("10.96.0.1:443", "10.96.0.1", True)
    assert not second.known
    assert (third.address, third.unanswered) == ("fd00::1", True)
    assert read.typha.connected
    assert read.typha.tls.trusts == (("tigera-signer", "150ce840b5aedd60"),)
    assert read.typha_here.clients == 12
    assert read.felix.parts == {"CalculationGraph": "reporting non-ready"}
    assert (read.kubelet.running, read.runtime.running) == (True, False)
    assert read.cni.token_expires_in_seconds == -5
    assert read.certificates[0].state == "expired"
    assert [line.component for line in read.lines("tunnel")] == ["felix"]
    assert (read.clock_ahead, read.clock_error) == (-90.5, 0.06)


def test_of_the_firewall_only_what_stops_typha_is_read():
    read = control_plane.read(FACTS)
    (inbound,) = read.typha_inbound
    assert inbound.rule == "iptables-nft filter INPUT -P INPUT DROP"
    assert inbound.concerns("10.200.0.10")
    assert not inbound.concerns("10.200.0.11")
    (outbound,) = read.typha_outbound
    assert outbound.concerns("10.200.0.77")


@pytest.mark.parametrize(
    ("mine", "theirs", "name", "issuer"),
    [
        (Tls(), Tls(cn="x", issuer="ca"), None, None),
        (Tls(expects_cn="typha-server"), Tls(cn="typha-server"), True, None),
        (Tls(expects_cn="typha-server"), Tls(cn="typha"), False, None),
        (Tls(expects_uri="spiffe://t"), Tls(cn="typha", uris=("spiffe://t",)), True, None),
        (Tls(trusts=(("ca", "01"),)), Tls(issuer="ca", issuer_key="01"), None, True),
        (Tls(trusts=(("ca", "01"),)), Tls(issuer="ca", issuer_key="02"), None, False),
        (Tls(trusts=(("ca", ""),)), Tls(issuer="ca", issuer_key="02"), None, True),
        (Tls(trusts=(("ca", "01"),)), Tls(issuer="other"), None, False),
    ],
)
def test_names_and_authorities(mine, theirs, name, issuer):
    assert (mine.accepts(theirs), mine.trusts_issuer_of(theirs)) == (name, issuer)


def test_a_connection_that_works_beside_one_that_opens_is_answered():
    assert not Connections("10.96.0.1:443", established=2, opening=1).unanswered
    assert not Connections("10.96.0.1:443").unanswered


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["host", "control_plane", "typha", "apiserver", "log", "certificates", "flows", "inbound", "kubelet"]
            ),
            inner,
            max_size=3,
        )
    ),
)


@given(ANYTHING, ANYTHING, ANYTHING)
def test_facts_of_any_shape_are_read(node, clock, firewall):
    read = control_plane.read({"calico_node": node, "calico_chrony": clock, "calico_firewall": firewall})
    assert not any(block.concerns("") and block.packed for block in read.typha_inbound)
