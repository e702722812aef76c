# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pods keep their address: the one on the host's network that others dial."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import prune_nodes


@pytest.mark.parametrize(("owner", "address"), [("ReplicaSet", "10.200.0.10"), ("DaemonSet", None)])
def test_typha_keeps_its_address_and_calico_node_does_not(owner, address):
    found = {
        "metadata": {"name": "pod", "namespace": "kube-system", "ownerReferences": [{"kind": owner, "name": "x"}]},
        "spec": {"nodeName": "node-2", "containers": [{"name": "one", "image": "one"}]},
        "status": {
            "phase": "Running",
            "podIP": "10.200.0.10",
            "hostIP": "10.200.0.10",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "one", "ready": True, "restartCount": 0}],
        },
    }
    assert prune_nodes.pod(found)["status"].get("podIP") == address
