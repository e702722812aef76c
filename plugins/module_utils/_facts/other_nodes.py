# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other nodes of which BIRD does not tell, as peers of this pass.

Where Calico runs no BIRD, nobody speaks BGP with them. What else goes between the nodes is looked at all the same.
"""

from __future__ import annotations

from .._host import overlay
from .bgp_daemon import BGP_PORT, Peer
from .firewall import NO_BGP
from .packing import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Dict

    from .._host.overlay import Learnt
    from .._host.routes import Route
    from .bgp import BgpGathering

    Facts = Dict[str, Any]


def own(learnt: Learnt, ways: Mapping[str, Route], session: BgpGathering) -> dict[str, str]:
    """Return by family what other nodes know this one by. What BIRD was told comes first."""
    return dict(overlay.own_addresses(learnt, ways), **session.local_addresses)


def peers(learnt: Learnt, known: Iterable[Peer], addresses: Mapping[str, str], session: BgpGathering) -> list[Peer]:
    """Return a peer for each node learnt that is not among those `known`; `addresses` are this node's own ones."""
    names = {peer.address for peer in known}
    kind = NO_BGP if session.facts.get("expected") is False else "other"
    found = []
    for address in learnt.addresses:
        if address not in names:
            family = "ipv6" if ":" in address else "ipv4"
            found.append(Peer("", kind, family, address, BGP_PORT, addresses.get(family, ""), None, None))
    return found


def facts(learnt: Learnt, addresses: Mapping[str, str]) -> Facts:
    """Return calico_node.overlay."""
    return {"addresses": dict(addresses), "nodes": {name: pack(told) for name, told in learnt.nodes.items()}}
