# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which address Calico would register for every host, by the method that is planned: autodetection, worked out before
anybody runs it."""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...module_utils._address import autodetect, releases
from .._address import methods, nodes
from .._evidence import plain
from . import intent, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .._address.nodes import NodeAddresses
    from .._evidence.evidence import Evidence
    from .intent import Intent
    from .model import Host, Scene

_USUAL = ("autodetect", "unset", "unknown", "")


@dataclass(frozen=True)
class Forecast:
    """One host, for one family. now: what is picked by the release that runs there, where another one is planned.

    probed: the address by which the other hosts were to reach it; node: its addresses as autodetection sees them.
    """

    host: str
    family: str
    method: str
    pick: autodetect.Pick
    node: NodeAddresses
    version: tuple[int, int, int] | None = None
    probed: str = ""
    now: autodetect.Pick | None = None

    @property
    def address(self) -> str:
        """What Calico would register, '' for nothing."""
        return self.pick.address

    @property
    def network(self) -> intent.Network | None:
        """The subnet of that address; None where there is none, or it is the host's alone."""
        if not self.pick.address:
            return None
        found = ipaddress.ip_network(f"{self.pick.address}/{self.pick.prefix}", strict=False)
        return found if found.prefixlen < found.max_prefixlen else None


def forecasts(scene: Scene, plan: Intent, family: str) -> list[Forecast]:
    """What would be picked on every host that told its addresses; [] where Calico looks for none of this family.

    Hosts whose calico-node was given an address, or none, are left out: nothing is looked for there.
    """
    told_hosts = {host.name: host for host in told.read_hosts(scene) if told.part(host, "calico_node").get("addresses")}
    wanted = {name: host for name, host in told_hosts.items() if _looks(host, plan, family)}
    probed = {name: _probed(host, family) for name, host in told_hosts.items()}
    read = nodes.read(
        {name: host.facts for name, host in told_hosts.items()}, family, probed, _internal_ips(scene.evidence)
    )
    return [_forecast(wanted[one.name], one, plan, family) for one in read if one.name in wanted]


def _looks(host: Host, plan: Intent, family: str) -> bool:
    """Whether Calico is to look for an address of this family on the host."""
    if plan.methods.get(family):
        return plan.methods[family] != intent.NO_METHOD
    detection = told.part(host, "calico_node", "autodetection", family)
    if family == "ipv6":
        return detection.get("set") is None and bool(detection.get("picks"))
    return plain.text(detection.get("set") or "") in _USUAL


def _probed(host: Host, family: str) -> str:
    return next((one for one in host.addresses if (":" in one) == (family == "ipv6")), "")


def _internal_ips(evidence: Evidence) -> Mapping[str, Sequence[str]] | None:
    """The InternalIPs by host as the API has them, else what kubelet was told to give; None where nothing tells."""
    found = {one.name: one.internal_addresses for one in evidence.registered if one.kube}
    for name, node in evidence.nodes.items():
        if node.own.kubelet_node_ip:
            found.setdefault(name, tuple(node.own.kubelet_node_ip.split(",")))
    return found or None


def _forecast(host: Host, node: NodeAddresses, plan: Intent, family: str) -> Forecast:
    method = plan.method(family, node.configured)
    reach = told.part(host, "calico_node", "readiness", "reach")

    def source_of(destination: str) -> str | None:
        known = reach.get(destination)
        return known if isinstance(known, str) else node.source_of(destination)

    def pick(version: tuple[int, int, int] | None) -> autodetect.Pick:
        # Of a host that the API does not know its InternalIP is not known, whatever it knows of others.
        internal = node.internal_ips or None
        return autodetect.detect(method, family, autodetect.Host(node.interfaces, version, source_of, internal))

    later = intent.newest_rules(plan, plain.text(told.part(host, "calico_node", "calico").get("version") or ""))
    before = pick(node.version) if plan.target and node.version and node.version != later else None
    # Where nothing is installed yet and nobody says what will be, the newest release is as good a guess as any.
    version = later or releases.NEWEST
    return Forecast(host.name, family, method, pick(version), node, version, _probed(host, family), before)


def better(found: Sequence[Forecast]) -> str:
    """A method that picks the right address on all of these hosts, '' if none does."""
    known = [replace(one.node, version=one.version) for one in found]
    fitting = methods.methods_that_fit(known) if all(one.truth for one in known) else []
    fitting = [one for one in fitting if one.method.partition("=")[0] != "can-reach"]
    return fitting[0].method if fitting else ""


def holders(found: Sequence[Forecast]) -> dict[str, list[str]]:
    """The hosts by the address that would be registered for them, where that is the same for several."""
    counted = Counter(one.address for one in found if one.address)
    return {
        address: [one.host for one in found if one.address == address] for address, many in counted.items() if many > 1
    }


def neighbours(network: intent.Network, found: Sequence[Forecast], but: str) -> Iterator[str]:
    """The other hosts that have an address of their own in this subnet."""
    for one in found:
        held = [each.address for interface in one.node.interfaces for each in interface.addresses]
        if one.host != but and any(ipaddress.ip_address(address) in network for address in held):
            yield one.host
