# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a fault must be found, where that is not simply the node that the lab names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.faults.model import Case

# A registered machine that does not exist has no name to be known by, only its address; and of two that disagree about
# an AS number the one that expects a wrong one is at fault. What concerns every node is not about one; "" is for what
# concerns none.
AT_FAULT = {
    ("stale_node_in_mesh", "registered"): "10.200.0.200",
    ("as_mismatch", "peer"): "node-4",
    ("daemonset_missing", "deleted"): "node-1",
    ("bird_not_expected", "vxlan"): "node-1",
    ("bird_probe_without_bird", "vxlan"): "node-1",
    ("datastore_lost_data", "pools"): "",
    ("as_mismatch", "bgppeer"): "10.200.0.254",
    ("bgppeer_selects_nothing", "node-selector"): "",
}

# Objects that the fault makes wrong without touching them: the host is another one than they say, or the routers no
# longer know the way to pods that a pool does not encapsulate.
OUTDATED = {
    ("stale_node_ip", "moved"): "Node/{}",
    ("encapsulation_disabled_but_needed", "router"): "IPPool/default-ipv4-ippool",
}


def outdated(case: Case) -> str:
    """The object that is at fault although the injection leaves it as it is, as Kind/name; '' if there is none."""
    return OUTDATED.get((case.fault.id, case.variant), "").format(case.target)


def right_node(case: Case, finding: Mapping[str, Any]) -> bool:
    """Whether a finding names the node at which the lab has made the fault."""
    wanted = AT_FAULT.get((case.fault.id, case.variant), case.target)
    return wanted in finding["nodes"] if wanted else not finding["nodes"]
