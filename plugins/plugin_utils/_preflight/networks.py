# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the ranges that are planned for pods and Services keep clear of each other and of what hosts know already."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, NamedTuple

from .._catalogue import words
from .._evidence import plain
from .._lint import context as lint
from . import intent, told
from .finding import finding, seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .intent import Intent, Network, PodNetwork
    from .model import Host, Scene

# Whose addresses are pods' or Services' own.
_CALICOS = (
    "cali",
    "tunl",
    "vxlan.calico",
    "vxlan-v6.calico",
    "wireguard.cali",
    "wg-v6.cali",
    "kube-ipvs",
    "nodelocaldns",
)
_CANALS = ("flannel", "cni0")
_NOBODYS = tuple(
    ipaddress.ip_network(one) for one in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::1/128",
                                          "fe80::/10", "ff00::/8")
)  # fmt: skip
_MEANS = (
    "Two networks with the same addresses cannot both be reached: a host sends to the one whose route is more "
    "specific, and the other one is gone, for some addresses or all, on some hosts or all."
)
_TITLE = "Ranges of addresses overlap"
Severity = str
FAULT = "preflight.networks_overlap"
PODS, SERVICES = "pods", "Services"


class Known(NamedTuple):
    """A network that hosts know: a subnet of theirs, or a route. what: such as "docker0"; routed: by a route."""

    network: Network
    what: str
    routed: bool


def findings(scene: Scene) -> list[dict[str, Any]]:
    """Ranges that overlap, that nobody can use, or that are too small for so many hosts."""
    plan = intent.read(scene.planned)
    pods = _pods(scene, plan)
    known = _known(scene)
    return [
        *_unusable(pods, plan.services),
        *_among_pods(pods),
        *_services_over_pods(pods, plan.services),
        *_over_hosts(pods, known, PODS),
        *_over_hosts([(one, "preflight_service_networks") for one in plan.services], known, SERVICES),
        *_too_small(plan, len(scene.hosts)),
    ]


def _pods(scene: Scene, plan: Intent) -> list[tuple[Network, str]]:
    """The ranges of pods with where they stand; of a cluster that is there already its pools."""
    found = [(one.network, one.where) for one in plan.pods]
    if not found and scene.evidence.cluster is not None:
        pools = [pool for pool in scene.evidence.cluster.pools if pool.cidr and "LoadBalancer" not in pool.allowed_uses]
        found = [(network, f"IPPool {pool.name}") for pool in pools if (network := lint.network(pool.cidr))]
    return found


def _known(scene: Scene) -> dict[Known, list[str]]:
    """The hosts by the networks that they know besides Calico's own."""
    found: dict[Known, list[str]] = {}
    for host in told.read_hosts(scene):
        for one in dict.fromkeys((*_subnets(host), *_routes(host))):
            found.setdefault(one, []).append(host.name)
    return found


def _subnets(host: Host) -> Iterator[Known]:
    about = told.part(host, "calico_node")
    # Where Calico or Canal runs, what carries pods' packets has pods' addresses, as it should.
    theirs = (*_CALICOS, *_CANALS) if told.runs_calico(host) else _CALICOS
    found: dict[str, list[Network]] = {}
    for one in (*plain.mappings(about.get("addresses")), *plain.mappings(about.get("other_addresses"))):
        interface, address = plain.text(one.get("interface")), plain.text(one.get("address"))
        network = lint.network(f"{address}/{one.get('prefix')}")
        if network is not None and not interface.startswith(theirs) and not address.startswith("fe80:"):
            found.setdefault(interface, []).append(network)
    for interface, networks in found.items():
        for network in networks:
            if not any(other != network and _contains(other, network) for other in networks):
                yield Known(network, interface, routed=False)


def _routes(host: Host) -> Iterator[Known]:
    for route in plain.texts(told.readiness(host).get("routes")):
        network = lint.network(route.partition(" ")[0])
        if network is not None:
            yield Known(network, route, routed=True)


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _contains(one: Network, other: Network) -> bool:
    return _overlap(one, other) and one.prefixlen <= other.prefixlen


def _unusable(pods: Iterable[tuple[Network, str]], services: Iterable[Network]) -> Iterator[dict[str, Any]]:
    for network, where in (*pods, *((one, "preflight_service_networks") for one in services)):
        wrong = next((one for one in _NOBODYS if _overlap(network, one)), None)
        if wrong is not None:
            yield _finding(
                "critical",
                [],
                f"{network} ({where}) overlaps {wrong}, addresses that no host sends to another one.",
                "Take a private range (RFC 1918, RFC 4193, RFC 6598) that nothing else uses.",
            )


def _among_pods(pods: list[tuple[Network, str]]) -> Iterator[dict[str, Any]]:
    for number, (one, where) in enumerate(pods):
        for other, there in pods[number + 1 :]:
            # Of pools in objects the linter tells it, with their lines.
            if _overlap(one, other) and intent.BY_VARIABLE in (where, there):
                yield _finding(
                    "critical",
                    [],
                    f"The ranges of pods {one} ({where}) and {other} ({there}) overlap; Calico refuses the second one.",
                    "Make them ranges of their own, or one range.",
                )


def _services_over_pods(pods: Iterable[tuple[Network, str]], services: Iterable[Network]) -> Iterator[dict[str, Any]]:
    for one in services:
        for other, where in pods:
            if _overlap(one, other):
                yield _finding(
                    "critical",
                    [],
                    f"The range of Services {one} and that of pods {other} ({where}) overlap: pods get addresses that "
                    "kube-proxy sends elsewhere.",
                    "Take ranges apart. That of Services stands in the API server's --service-cluster-ip-range and "
                    "cannot be changed later.",
                )


def _over_hosts(
    planned: Iterable[tuple[Network, str]], known: Mapping[Known, list[str]], whose: str
) -> Iterator[dict[str, Any]]:
    for network, where in planned:
        for one, names in known.items():
            if not _overlap(network, one.network):
                continue
            severity, says = _how_bad(network, one)
            docker = ", or another network for docker (bip, default-address-pools)" if "docker" in one.what else ""
            source = "routes" if one.routed else "addresses"
            yield _finding(
                severity,
                names,
                f"The range of {whose} {network} ({where}) {says} on {words.listed(names)}.",
                f"Take another range for {whose} before anything is installed{docker}.",
                [told.everywhere(names, f"ip route show to match {network.network_address}")],
                [seen(name, source, f"{one.network}: {one.what}") for name in names],
                "ippool_overlaps_network" if whose == PODS else FAULT,
            )


def _how_bad(network: Network, one: Known) -> tuple[str, str]:
    """How bad it is, and in which words; a network of hosts themselves is the worst."""
    if not one.routed:
        own = f"overlaps {one.network}, the network of {one.what}"
        return (
            "major" if one.what.startswith(("docker", "br-", "virbr", "cni", "lxcbr", "podman")) else "critical"
        ), own
    if one.network.prefixlen < network.prefixlen:
        # The pods' routes are more specific: what is lost is what else lies behind the wide one.
        return "minor", f"lies inside of {one.network}, which goes another way ({one.what})"
    return "major", f"contains {one.network}, which goes another way ({one.what})"


def _too_small(plan: Intent, hosts: int) -> Iterator[dict[str, Any]]:
    """Ranges with fewer blocks than hosts; each host wants one of its own."""
    for version in (4, 6):
        ranges = [one for one in plan.pods if one.network.version == version]
        tiny = [one for one in ranges if one.network.prefixlen > one.block_size]
        for one in tiny if intent.BY_VARIABLE in {each.where for each in tiny} else ():
            yield _small(
                "critical",
                f"The range of pods {one.network} ({one.where}) is smaller than a block (/{one.block_size}); Calico "
                "refuses it.",
                "Take a larger range, or smaller blocks (blockSize).",
            )
        blocks = sum(_blocks(one) for one in ranges if one not in tiny)
        if ranges and not tiny and blocks < 2 * hosts:
            shown = words.listed(f"{one.network} with blocks of /{one.block_size}" for one in ranges)
            few = blocks < hosts
            yield _small(
                "major" if few else "minor",
                f"{shown} {'is' if len(ranges) == 1 else 'are'} {words.plural(blocks, 'block')} for "
                f"{words.plural(hosts, 'host')}: "
                + (
                    "hosts without a block of their own borrow addresses of others one by one, each with a route."
                    if few
                    else "there is hardly room for more hosts, or for more pods on one than a block has addresses."
                ),
                "Plan a larger range: neither cidr nor blockSize of a pool can be changed later.",
            )


def _blocks(one: PodNetwork) -> int:
    return 1 << (one.block_size - one.network.prefixlen)


def _small(severity: Severity, summary: str, fix: str) -> dict[str, Any]:
    return finding(
        "preflight.pool_too_small",
        severity,
        [],
        summary,
        fix,
        title="The range of pods is too small for the hosts",
        means="Calico gives addresses to hosts by blocks. A host without one takes addresses out of others' blocks, "
        "and with strictAffinity (Windows) its pods get none.",
    )


def _finding(
    severity: Severity,
    names: list[str],
    summary: str,
    fix: str,
    typed: Iterable[str] = (),
    evidence: Iterable[dict[str, str]] = (),
    fault: str = FAULT,
) -> dict[str, Any]:
    told_by = list(evidence)[: told.MOST_SEEN]
    named = {"title": _TITLE, "means": _MEANS} if fault == FAULT else {}
    return finding(fault, severity, names, summary, fix, list(typed), evidence=told_by, **named)
