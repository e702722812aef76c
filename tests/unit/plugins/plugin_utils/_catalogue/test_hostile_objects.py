# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of any shape end in a report, be they with nodes' evidence or alone."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster import objects
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.plugins.plugin_utils._render.terminal import lines
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils import kube as shapes
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._catalogue.settings import note, put
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.mesh import ADDRESSES, Mesh

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 70000),
    st.text(max_size=8),
    st.sampled_from(
        ["10.0.0.10", "10.0.0.10/32", "10.0.2.15/24", "fd00::1", "10.244.0.0/16", "all()", "has(", "Always"]
    ),
)
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner, max_size=2)
)


def full():
    """A cluster with one of each kind of settings."""
    kube = shapes.Kube(ADDRESSES)
    password = {"secretKeyRef": {"name": "bgp", "key": "password"}}
    put(
        kube,
        "BGPConfiguration",
        "default",
        nodeToNodeMeshEnabled=True,
        asNumber=64512,
        listenPort=179,
        nodeMeshPassword=password,
        serviceClusterIPs=[{"cidr": "10.96.0.0/12"}],
        programClusterRoutes="Enabled",
    )
    put(kube, "BGPPeer", "tor", peerIP="10.0.0.254:179", asNumber=64600, password=password, keepaliveTime="3s")
    put(kube, "BGPPeer", "rr", nodeSelector="all()", peerSelector="rr == 'true'")
    put(kube, "FelixConfiguration", "default", failsafeInboundHostPorts=[{"protocol": "tcp", "port": 22}])
    put(kube, "HostEndpoint", "h", {"host": "yes"}, node="node-2", interfaceName="*", expectedIPs=["10.0.0.10"])
    rule = {"action": "Allow", "protocol": "TCP", "source": {"nets": ["10.0.0.0/24"]}, "destination": {"ports": [22]}}
    put(kube, "GlobalNetworkPolicy", "p", selector="has(host)", order=1, types=["Ingress"], ingress=[rule])
    put(kube, "Installation", "default", calicoNetwork={"ipPools": [{"encapsulation": "IPIP"}]})
    note(kube, "node-3", "RouteReflectorClusterID", "244.0.0.1")
    note(kube, "node-4", "ASNumber", "64999")
    return kube.fact()


FACT = full()


def paths(value, at=()):
    yield at
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*at, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from paths(item, (*at, number))


PLACES = [at for at in paths(FACT) if at]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), ANYTHING), min_size=1, max_size=4), st.booleans())
def test_objects_with_parts_replaced_by_anything(changes, with_nodes):
    fact = copy.deepcopy(FACT)
    for at, new in changes:
        part = fact
        # An earlier change may have taken the place away.
        with contextlib.suppress(KeyError, IndexError, TypeError):
            for key in at[:-1]:
                part = part[key]
            part[at[-1]] = new
    mesh = Mesh()
    mesh.break_session("node-1", "node-2")
    mesh.trouble("node-2", "10.0.0.254", "Idle", "Received: Cease", kind="Global")
    nodes = mesh.evidence() if with_nodes else Evidence({})
    report = analyse(replace(nodes, cluster=objects.read(fact)), shapes.NOW)
    assert "".join(lines(report))
