# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ranges of addresses that do not fit together: Services' over pods', and pods' that the network does not know."""

from __future__ import annotations

import ipaddress

from ..topology import POD_POOL
from . import objects
from .model import Case, Fault, Variant, listener

_SUPERNET = 12


def _advertise(case: Case) -> None:
    services = str(ipaddress.ip_network(POD_POOL).supernet(new_prefix=_SUPERNET))
    cidr = POD_POOL if case.variant == "pool" else services
    objects.configure(case, "BGPConfiguration", "default", {"serviceClusterIPs": [{"cidr": cidr}]})
    objects.follow(case.lab)


def _still_routed(case: Case) -> str:
    """BIRD takes routes to Services' ranges out of the kernel."""
    table = case.machine.exec(["ip", "route", "show", "proto", "bird"]).stdout
    left = [peer for peer in case.peers if f"{peer.block} " in table]
    return f"{case.target} still has a route to the pods of {left[0].name}" if left else ""


SERVICES = Fault(
    id="bgpconfig_service_cidr_contains_pods",
    description="BGP advertises a range of Services that contains the pods' addresses",
    inject=_advertise,
    heal=objects.restore,
    missing=_still_routed,
    default=listener,
    check=objects.must_have_api,
    variants=(Variant("wider", f"a range of /{_SUPERNET} around the pool"), Variant("pool", "the pool itself")),
    breaks_sessions=False,
)


def _forget_pods(case: Case) -> None:
    for number in range(1, len(case.lab.plan.topology.subnets) + 1):
        objects.remove(case, f"{objects.PEERS}/top-of-rack-{number}")
    objects.follow(case.lab)
    for node in case.lab.nodes:
        case.run(["ip", "route", "del", node.block, "via", node.address], case.lab.fabric)


def _learn_pods(case: Case) -> None:
    objects.restore(case)
    for node in case.lab.nodes:
        case.try_run(["ip", "route", "replace", node.block, "via", node.address], case.lab.fabric)


def _still_reached(case: Case) -> str:
    peer = next(peer for peer in case.peers if peer.subnet != case.node.subnet)
    done = case.machine.exec(["ping", "-c1", "-W1", peer.pod_address], check=False)
    return f"{case.target} still reaches the pod of {peer.name}" if done.returncode == 0 else ""


NEEDED = Fault(
    id="encapsulation_disabled_but_needed",
    description="the pool has no encapsulation, and the router between the nodes learns no pods' addresses",
    inject=_forget_pods,
    heal=_learn_pods,
    missing=_still_reached,
    default=listener,
    check=objects.must_have_api,
    variants=(Variant("router", "the router has no routes to the pods", "two_subnets"),),
    breaks_sessions=False,
)
