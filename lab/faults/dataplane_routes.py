# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Next hops that are not on a node's link, where nothing is encapsulated."""

from __future__ import annotations

from .model import Case, Fault, Variant, listener


def _subnet_route(case: Case) -> list[str]:
    return [case.node.subnet.network, "dev", "eth0", "proto", "kernel", "scope", "link", "src", case.node.address]


def _lose_the_link(case: Case) -> None:
    """Everything goes to the router, as where a cloud gives a machine its address only; BGP passes by the router."""
    case.run(["ip", "route", "replace", "default", "via", case.node.subnet.gateway, "dev", "eth0", "onlink"])
    case.run(["ip", "route", "del", case.node.subnet.network, "dev", "eth0"])
    # BIRD puts its routes back, or tries to, at its next look.
    case.run(["ip", "route", "flush", "proto", "bird"])


def _link_again(case: Case) -> None:
    case.try_run(["ip", "route", "replace", *_subnet_route(case)])
    case.try_run(["ip", "route", "replace", "default", "via", case.node.subnet.gateway, "dev", "eth0"])


def _not_refused(case: Case) -> str:
    listed = case.machine.exec(["ip", "route", "show", "proto", "bird"]).stdout
    present = [peer.name for peer in case.peers if f"{peer.block} " in listed]
    if present:
        return f"{case.target} still has a route to the pods of {present[0]}"
    log = case.machine.exec(["sh", "-c", "tail -n 200 /var/log/calico/bird/current"], check=False).stdout
    return "" if "Network is unreachable" in log else "BIRD has not said yet that the kernel refuses its routes"


NOT_ONLINK = Fault(
    id="no_encap_next_hop_not_onlink",
    description="the node has no route to its own subnet, so the kernel refuses BIRD's routes by way of its neighbours",
    inject=_lose_the_link,
    heal=_link_again,
    missing=_not_refused,
    default=listener,
    variants=(Variant("no-subnet-route", "the route to the subnet is gone; all goes to the router", "one_subnet"),),
    breaks_sessions=False,
    limit=90.0,
)
