# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.model import MissingNode
from ansible_collections.netmedic.calico.plugins.plugin_utils._gate.names import inventory_names
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.kube import Kube
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import evidence_of


def test_a_node_tells_its_own_name_and_others_are_known_by_address(mesh):
    mesh.facts["node-1"]["calico_node"]["nodename"] = "ip-10-0-0-9.internal"
    kube = Kube({"ip-10-0-0-9.internal": "10.9.9.9", "n2": "10.0.0.10", "n3": "10.7.7.7", "node-4": "10.0.0.12"})
    evidence = evidence_of(mesh, kube)
    assert inventory_names(evidence) == {
        "ip-10-0-0-9.internal": "node-1",
        "n2": "node-2",
        "n3": "n3",
        "node-4": "node-4",
    }


def test_a_node_that_could_not_be_read_is_known_by_its_address():
    missing = (MissingNode("web-1", "unreachable", "10.0.0.20"),)
    assert inventory_names(Evidence({}, missing, cluster=Kube({"k1": "10.0.0.20"}).cluster())) == {"k1": "web-1"}


def test_without_the_api_there_are_no_names():
    assert inventory_names(Evidence({})) == {}
