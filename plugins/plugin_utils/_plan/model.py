# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the caller allows, and the form of a plan: plain data, so that it can be saved, shown and approved."""

from __future__ import annotations

from typing import Any, NamedTuple

SCHEMA = "netmedic.calico.plan/v1"
RISKS = ("low", "medium", "high")
# From where objects are changed.
CONTROLLER = "localhost"
# Below this confidence a person who has looked decides, by naming the fault; where it is more likely none, by hand.
LEAST_CONFIDENCE = 0.8
LEAST_WITH_CONSENT = 0.5
# An explanation that is nearly as good as the one to be repaired makes the repair a guess.
RIVAL = 0.4

# The order in which roles run: what others stand on comes first. Clocks before anything that checks certificates; the
# host's kernel before its filters; ways before what travels on them; objects before the restarts that read them.
ORDER = (
    "time_sync",
    "host_network",
    "bgp_firewall",
    "bgp_password",
    "operator_migration",
    "ip_autodetection",
    "mtu",
    "ippool_encapsulation",
    "stale_nodes",
    "rolling_restart",
    "node_recovery",
)


class Wishes(NamedTuple):
    """What the caller allows.

    only: faults that may be repaired, () all. max_risk: 'low', 'medium' or 'high'. consent: faults for which more risk
    is taken than that, and less certainty. max_nodes: a number of hosts, or a share such as '25%' of the cluster (never
    less than one). max_age: seconds that the evidence may be old. bundle: where the evidence was saved, '' nowhere.
    inventory: the hosts that can be reached. managed: also where the provider forbids changes. approved: the plan's id
    that somebody agreed to, '' none. api_host: where the API is asked from. lock: the namespace of the cluster's lock,
    '' for none.
    """

    only: tuple[str, ...] = ()
    max_risk: str = "low"
    consent: frozenset[str] = frozenset()
    max_nodes: str = "25%"
    max_age: int = 900
    bundle: str = ""
    inventory: tuple[str, ...] = ()
    managed: bool = False
    approved: str = ""
    api_host: str = CONTROLLER
    lock: str = ""


class Repair(NamedTuple):
    """A finding that a role can repair: the role, with which variables, on which hosts ((): through the API)."""

    finding: dict[str, Any]
    role: str
    variables: dict[str, Any]
    hosts: tuple[str, ...]

    @property
    def fault(self) -> str:
        """The fault's id."""
        return str(self.finding["fault"])

    @property
    def risk(self) -> str:
        """The fix's risk: 'low', 'medium' or 'high'."""
        return str(self.finding["fix"]["risk"])
