# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.ranking import rank

PATH = "eth0 via 10.0.0.254 to 10.0.1.0/24"


def narrow(mesh, interface):
    """node-2 sends at most 1400 bytes to one subnet, and 1500 are needed."""
    path = {"class": PATH, "peer": "10.0.1.10", "wanted": 1400, "carries": 1400, "result": "local", "reported_by": ""}
    mesh.facts["node-2"]["calico_mtu"] = {"interfaces": {"eth0": interface}, "required": 1500, "paths": [path]}


def told(mesh):
    (item,) = rank(mesh.evidence())
    assert (item.fault.id, item.subject.nodes) == ("mtu_mismatch", ("node-2",))
    return item, item.fault.summary(mesh.evidence(), item.subject)


def test_a_route_that_is_too_small_is_not_told_as_an_interface(mesh):
    narrow(mesh, 1500)
    item, summary = told(mesh)
    assert "at most 1400 bytes by its route " + PATH in summary
    assert "interface takes more" in summary
    assert item.subject.where["route"] == PATH
    assert [signal.test.__name__ for signal, _seen in item.speaks_for] == ["route_is_too_small"]
    assert any("ip route get 10.0.1.10" in line for line in item.fault.fix.commands(mesh.evidence(), item.subject))


def test_an_interface_that_is_too_small_is_told_as_one(mesh):
    narrow(mesh, 1400)
    item, summary = told(mesh)
    assert "underlay interface of node-2 is smaller" in summary
    assert [signal.test.__name__ for signal, _seen in item.speaks_for] == ["interface_is_too_small"]
