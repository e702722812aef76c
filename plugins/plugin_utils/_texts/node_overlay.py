# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other nodes of which BIRD does not tell, from what `bridge fdb`, `wg` and the routing table show of tunnels."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ...module_utils._facts import host_ways
from ...module_utils._host import overlay
from . import tunnels, words

if TYPE_CHECKING:
    from ...module_utils._host.links import Link, Network
    from .node import Assembly
    from .node_told import Told

FDB, ENDPOINTS = "bridge-fdb.txt", "wg-endpoints.txt"


def learn(whole: Assembly, network: Network) -> overlay.Learnt:
    """Return the other nodes, as overlay.learn() does. Notes the source overlay."""
    texts, told = whole.texts, whole.told
    shown = tunnels.vxlans(whole.first("ip-addr.json", "ip-addr.txt", "ip-link.json", "ip-link.txt"))
    devices, encrypting = overlay.tunnelling(network), overlay.encrypted(network)
    made = {link.name: shown.get(link.name) for link in devices}
    found = far_ends(texts.get(FDB, ""))
    hops = overlay.next_hops(whole.table.entries(), network, whole.files.read(host_ways.FLANNEL_ENV))
    found.update({"routes": hops} if hops else {})
    for line in texts.get(ENDPOINTS, "").splitlines():
        device, _tab, endpoint = line.partition("\t")
        address = words.address(endpoint.rpartition(":")[0].strip("[]"))
        if address:
            found.setdefault(device, []).append(address)
    problems = _untold(told, devices, encrypting)
    if not whole.table.tells_makers:
        problems.append("who made the routes")
    problem = f"No text tells {', nor '.join(problems)}." if problems else ""
    return overlay.concluded(found, made, network, problem, whole.sources["node"])


def _untold(told: Told, devices: list[Link], encrypting: list[Link]) -> list[str]:
    problems = []
    if devices and told.value("fdb") != "0":
        problems.append("the forwarding tables of VXLAN devices (bridge fdb)")
    asked = {row[0]: row[1] for row in told.rows("wg", 2)}
    if any(asked.get(link.name) != "0" for link in encrypting):
        problems.append("the peers of WireGuard devices (wg show)")
    return problems


def far_ends(text: str) -> dict[str, list[str]]:
    """Return by device the far ends in what `bridge fdb show` prints."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        fields = dict(pairwise(line.split()))
        address = words.address(fields.get("dst", ""))
        if address and fields.get("dev") in overlay.VXLAN:
            found.setdefault(fields["dev"], []).append(address)
    return found
