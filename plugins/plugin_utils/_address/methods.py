# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which method of autodetection would pick the right address on every node."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...module_utils._address import autodetect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ...module_utils._address.autodetect import Pick
    from .nodes import NodeAddresses

_INTERNAL_IP = "kubernetes-internal-ip"
_FAR = {"ipv4": "8.8.8.8", "ipv6": "2001:4860:4860::8888"}
_MOST_NAMES = 4
_MOST_ROUNDS = 8


@dataclass(frozen=True)
class Method:
    """One method and what it would do on each node.

    right are the nodes on which it picks the true address, wrong those on which it does not, with what it picks and
    why; undecided those where that cannot be said, with the reason. takes_moving are nodes on which the pick is an
    address that looks as if it moved from host to host.
    """

    method: str
    right: tuple[str, ...]
    wrong: Mapping[str, Pick]
    undecided: Mapping[str, str]
    takes_moving: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """It picks right on every node, as far as nodes have a known true address, of which there is one at least."""
        return bool(self.right) and not self.wrong and not self.undecided and not self.takes_moving


def evaluate(method: str, nodes: Sequence[NodeAddresses]) -> Method:
    """Say what a method would do on each node."""
    right: list[str] = []
    moving: list[str] = []
    wrong: dict[str, Pick] = {}
    undecided: dict[str, str] = {}
    for node in nodes:
        pick = autodetect.detect(
            method, node.family, autodetect.Host(node.interfaces, node.version, node.source_of, node.internal_ips)
        )
        if not pick.decided:
            undecided[node.name] = pick.why
        elif not node.truth:
            undecided[node.name] = node.truth_why
        elif pick.address == node.truth:
            right.append(node.name)
            if pick.address in node.moving:
                moving.append(node.name)
        else:
            wrong[node.name] = pick
    return Method(method, tuple(right), wrong, undecided, tuple(moving))


def methods_that_fit(nodes: Sequence[NodeAddresses]) -> list[Method]:
    """Return the methods that would pick right on every one of these nodes of one family, the best one first.

    Best is what depends least on names and order: the API's own word, then subnets, then interface names, then the way
    to a destination, then exclusions, and first-found last.
    """
    found = [evaluate(method, nodes) for method in dict.fromkeys(_candidates(nodes))]
    return [method for method in found if method.fits]


def _candidates(nodes: Sequence[NodeAddresses]) -> Iterator[str]:
    true = [node for node in nodes if node.truth]
    if not true:
        return
    yield _INTERNAL_IP
    subnets = _subnets(true)
    if 0 < len(subnets) <= _MOST_NAMES:
        yield "cidr=" + ",".join(subnets)
    names = sorted({node.interface_of(node.truth) for node in true})
    if len(names) <= _MOST_NAMES:
        yield "interface=" + ",".join(f"^{re.escape(name)}$".replace("\\-", "-") for name in names)
    yield f"can-reach={_FAR[true[0].family]}"
    skipping = _skipping(true)
    if skipping:
        yield skipping
    yield from sorted({node.configured for node in true} - {""})
    yield autodetect.FIRST_FOUND


def _subnets(nodes: Sequence[NodeAddresses]) -> list[str]:
    """Return the subnets of the true addresses; none where one of them is a host's own (/32)."""
    networks = set()
    for node in nodes:
        prefix = node.prefix_of(node.truth)
        network = ipaddress.ip_network(f"{node.truth}/{prefix}", strict=False)
        if network.prefixlen == network.max_prefixlen:
            return []
        networks.add(network)
    return [str(network) for network in sorted(networks, key=lambda network: (network.version, int(network[0])))]


def _skipping(nodes: Sequence[NodeAddresses]) -> str:
    """Return skip-interface for all interfaces that first-found would wrongly take, '' where it takes the right ones or
    the right one and a wrong one are of the same name."""
    skipped: list[str] = []
    true = {node.interface_of(node.truth) for node in nodes}
    for _round in range(_MOST_ROUNDS):
        method = "skip-interface=" + ",".join(f"^{re.escape(name)}$".replace("\\-", "-") for name in skipped)
        picks = evaluate(method if skipped else autodetect.FIRST_FOUND, nodes).wrong.values()
        more = {pick.interface for pick in picks if pick.interface} - true - set(skipped)
        if not more:
            return method if skipped else ""
        skipped += sorted(more)
    return ""
