# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools of addresses and how they encapsulate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from .._cluster import effective, programmers

if TYPE_CHECKING:
    from .._evidence.evidence import Evidence

NEVER, CROSS, ALWAYS = "Never", "CrossSubnet", "Always"
NODES_SHOWN = 4
# What an Installation calls a pool's encapsulation; without a word it is IPIP.
_ENCAPSULATIONS = {
    "": (ALWAYS, NEVER),
    "ipip": (ALWAYS, NEVER),
    "ipipcrosssubnet": (CROSS, NEVER),
    "vxlan": (NEVER, ALWAYS),
    "vxlancrosssubnet": (NEVER, CROSS),
    "none": (NEVER, NEVER),
}


class Pool(NamedTuple):
    """A pool in use: its modes, and the object that says so."""

    what: str
    field: str
    cidr: str
    ipip: str
    vxlan: str

    @property
    def bare(self) -> bool:
        """Nothing is encapsulated."""
        return self.ipip == NEVER and self.vxlan == NEVER

    @property
    def crossing(self) -> bool:
        """What stays within a subnet is not encapsulated."""
        return CROSS in (self.ipip, self.vxlan)

    @property
    def kind(self) -> str:
        """Its encapsulation as programmers call it."""
        if self.vxlan != NEVER:
            return programmers.VXLAN
        return programmers.IPIP if self.ipip != NEVER else programmers.NO_ENCAPSULATION


def pools_in_use(evidence: Evidence) -> list[Pool]:
    """The pools that pods get addresses from: the objects, else what the Installation or the operator's notes say."""
    cluster = evidence.cluster
    if cluster is None:
        return []
    found = [
        Pool(
            f"IPPool {one.name}",
            "spec.ipipMode" if one.vxlan == NEVER else "spec.vxlanMode",
            one.cidr,
            one.ipip,
            one.vxlan,
        )
        for one in cluster.pools
        if not one.disabled and one.modes_told and one.allowed_uses != ("LoadBalancer",)
    ]
    if found or cluster.pools:
        return found
    told = effective.installed(cluster, "calicoNetwork", "ipPools")
    for one in told if isinstance(told, list) else []:
        modes = _ENCAPSULATIONS.get(_word(one.get("encapsulation"))) if isinstance(one, Mapping) else None
        if modes:
            cidr = str(one.get("cidr") or "")
            found.append(Pool("Installation default", "spec.calicoNetwork.ipPools", cidr, *modes))
    noted = _ENCAPSULATIONS.get(_word(cluster.environment.get("encapsulation")))
    if not found and noted and cluster.environment.get("encapsulation"):
        found.append(Pool("environment.yml", "encapsulation", "", *noted))
    return found


def _word(value: object) -> str:
    return str(value or "").lower().replace("-", "").replace("_", "")
