# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.plugins.plugin_utils._gate.gate import gate
from ansible_collections.netmedic.calico.plugins.plugin_utils._gate.scope import size_of
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils import kube as shapes
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.kube import Kube


@pytest.mark.parametrize(
    ("affected", "total", "size"),
    [(1, 1, "all"), (1, 2, "one"), (2, 2, "all"), (3, 50, "few"), (5, 50, "few"), (6, 50, "subset"), (45, 50, "all")],
)
def test_one_few_subset_all(affected, total, size):
    assert size_of(affected, total) == size


def test_what_a_subset_shares_is_suspected_first():
    kube = Kube({f"node-{number}": f"10.0.{number % 4}.{number}" for number in range(40)})
    for number in range(40):
        zone = "b" if number % 4 == 0 else "a"
        kube.node(f"node-{number}")["metadata"]["labels"]["topology.kubernetes.io/zone"] = zone
        if zone == "b":
            kube.condition(f"node-{number}", "Ready", *shapes.SILENT)
    (scope,) = gate(Evidence({}, cluster=kube.cluster())).scopes
    assert (scope.size, len(scope.nodes), scope.of) == ("subset", 10, 40)
    told = {(one.attribute, one.value): (one.affected, one.elsewhere) for one in scope.shared}
    assert told["topology.kubernetes.io/zone", "b"] == (10, 0)
    assert told["subnet", "10.0.0.0/24"] == (10, 0)
    assert "10 of the 10 have" in scope.suspects[0]
    assert all(one.p_value < 0.001 for one in scope.shared)
