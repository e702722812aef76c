# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of nodes without an address: autodetection finds none, or the host has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._evidence.model import FAMILIES
from . import address_truth, api, commands, flannel_interface, words
from .address_claims import Claim, agent_is_unwell, claims
from .address_method import choose_better, remedy
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node
    from .._evidence.registered import Registered

NOTHING_ON_HOST = "no valid IPv4 addresses found on the host"
_OF_SOME = ("using interface", "while excluding")
NO_IPV4_CIDR = "Cannot pick an IPv4"
_FAILED = (
    *("auto-detect an IPv4", "auto-detect IPv4 address", "autodetect an IPv4", "Autodetection of IPv4"),
    *("no valid IPv4", "no IPv4 or IPv6", "Clearing out-of-date IPv4"),
)
_METHOD = "IP autodetection method"


def nodes_without_address(evidence: Evidence) -> Iterator[Subject]:
    """Nodes for which no IPv4 address is known although Calico looks for one, or says that it finds none."""
    claimed = {(claim.name, claim.family) for claim in claims(evidence) if not claim.logged}
    for node in evidence.nodes.values():
        without = (node.name, "ipv4") not in claimed and (_lines(node) or _finds_nothing(node))
        if without or flannel_interface.lines_of(node):
            record = api.record_of(evidence, node.name)
            claim = Claim(node.name, "ipv4", "", "", node, record)
            yield Subject((node.name,), evidence.down_at(node.name), _where(claim), node, claim)
    seen = {name for name, _family in claimed} | set(evidence.nodes)
    for record in evidence.registered:
        # A table of nodes without their labels tells nothing of what Calico has on record of them either.
        if record.kube is not None and record.kube.is_whole and record.name not in seen and not record.windows:
            claim = Claim(record.name, "ipv4", "", "", None, record)
            yield Subject((record.name,), (), _where(claim), None, claim)


def _where(claim: Claim) -> dict[str, object]:
    if claim.record is None:
        return {"node": claim.name}
    return api.where(f"node {claim.record.record}", api.annotation("ipv4"), node=claim.name)


def _lines(node: Node) -> list[HostLine]:
    lines = node.control.lines("autodetection")
    return [line for line in lines if any(word in line.text for word in (*_FAILED, _METHOD))]


def _finds_nothing(node: Node) -> bool:
    """Autodetection, worked out again from the host's interfaces, takes no address, and IPv6 is not used instead."""
    detection = node.own.detection.get("ipv4")
    wanted = detection is not None and detection.detects and detection.decided and not detection.picks
    return wanted and "ipv6" not in node.bgp_addresses and node.bird_expected is not False


def _node_and_record(subject: Subject) -> tuple[Node | None, Registered | None]:
    claim = subject.about
    return (claim.node, claim.record) if isinstance(claim, Claim) else (subject.node, None)


def calico_finds_no_address(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico says that it finds no address for the node."""
    node = subject.node
    lines = _lines(node) if node else []
    return [Seen(subject.nodes[0], f"{line.component or 'calico-node'} log", line.text, line.at) for line in lines[:3]]


def container_says_no_address(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node's calico-node ended because it found no address."""
    _node, record = _node_and_record(subject)
    name = record.record if record else subject.nodes[0]
    found = []
    for pod in evidence.cluster.pods_of("calico-node", "canal") if evidence.cluster else ():
        for one in pod.containers if pod.node == name else ():
            told = f"{one.message} {one.last_message}"
            if any(word in told for word in (*_FAILED, _METHOD)):
                found.append(Seen(subject.nodes[0], f"Pod/{pod.name}", told.strip()[:200], "status.containerStatuses"))
    return found


def method_fits_nothing(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Worked out from the host's interfaces, autodetection finds no IPv4 address."""
    node = subject.node
    detection = node.own.detection.get("ipv4") if node else None
    if node is None or detection is None or not _finds_nothing(node):
        return []
    return [Seen(node.name, "autodetection", f"{detection.method or 'first-found'}: {detection.why}")]


def nothing_on_record(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico has no address of this node on record, and has those of most others."""
    _node, record = _node_and_record(subject)
    if record is None or any(record.stored(family) for family in FAMILIES):
        return []
    linux = [one for one in evidence.registered if one.kube and not one.windows]
    having = [one for one in linux if any(one.stored(family) for family in FAMILIES)]
    agents = {pod.node for pod in evidence.cluster.pods_of("calico-node")} if evidence.cluster is not None else set()
    if 2 * len(having) < len(linux) or record.record not in agents:
        return []
    return [Seen(record.name, f"Node/{record.record}", "no projectcalico.org/IPv4Address", api.annotation("ipv4"))]


def host_has_ipv4(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The host has an IPv4 address by which others might know it."""
    held = subject.node.own.of_family("ipv4") if subject.node else ()
    usable = [one for one in held if not address_truth.is_odd(one.interface)]
    return [Seen(subject.nodes[0], "addresses", f"{one.interface} has {one.with_length}") for one in usable[:3]]


def host_has_no_ipv4(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The host has IPv6 addresses and no IPv4 address."""
    node = subject.node
    if node is None or not node.own.complete or host_has_ipv4(evidence, subject):
        return []
    others = [one.with_length for one in node.own.of_family("ipv6")]
    return [Seen(node.name, "addresses", words.listed(others))] if others else []


def only_ipv6_is_given(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Kubernetes gives the node IPv6 only: its addresses, or the range of its pods."""
    node, record = _node_and_record(subject)
    kube = record.kube if record else None
    found = []
    for field, told in (
        (("status.addresses", kube.internal_addresses), ("spec.podCIDRs", kube.pod_cidrs)) if kube else ()
    ):
        if told and all(":" in one for one in told):
            found.append(Seen(subject.nodes[0], f"Node/{kube.name if kube else ''}", words.listed(told), field))
    lines = [line for line in (node.control.lines("tunnel") if node else []) if NO_IPV4_CIDR in line.text]
    return found + [Seen(subject.nodes[0], "calico-node log", line.text, line.at) for line in lines[:1]]


def none_on_any_interface(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico says that no interface of the host has an IPv4 address which it takes."""
    lines = _lines(subject.node) if subject.node else []
    # Told to look at some interfaces only it says nothing of the others.
    found = [line for line in lines if NOTHING_ON_HOST in line.text and not any(some in line.text for some in _OF_SOME)]
    return [Seen(subject.nodes[0], "calico-node log", line.text, line.at) for line in found[:1]]


def another_node_has_the_address(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico did find an address, which another node uses already."""
    lines = subject.node.control.lines("node_ip_conflict") if subject.node else []
    return [Seen(subject.nodes[0], "calico-node log", line.text, line.at) for line in lines[:1]]


AUTODETECTION_FOUND_NOTHING = Fault(
    id="autodetection_found_nothing",
    family="node_address",
    title="Autodetection finds no address",
    severity="major",
    role="cause",
    means=(
        "No interface of this host fits the method by which Calico is told to find the node's address. calico-node "
        "ends, and a node whose old address was cleared leaves the mesh. In Canal flannel chooses an interface, too, "
        "and does not start where none fits."
    ),
    subjects=nodes_without_address,
    signals=(
        Signal(calico_finds_no_address, STRONG + MODERATE, required=True),
        Signal(container_says_no_address, STRONG + MODERATE, required=True),
        Signal(flannel_interface.flannel_finds_none, STRONG + MODERATE, required=True),
        Signal(method_fits_nothing, STRONG, required=True),
        Signal(nothing_on_record, WEAK, required=True),
        Signal(host_has_ipv4, MODERATE),
        Signal(agent_is_unwell, MODERATE),
        Signal(host_has_no_ipv4, -STRONG),
        Signal(only_ipv6_is_given, -STRONG),
        Signal(another_node_has_the_address, -DECISIVE),
        Signal(flannel_interface.it_is_over, -DECISIVE),
    ),
    summary=lambda evidence, subject: (
        f"flannel finds no interface on {subject.nodes[0]} that it may use, so it does not start there."
        if _only_flannel(evidence, subject)
        else f"Calico finds no address for {subject.nodes[0]}{_method(subject)}, so it does not take part in BGP."
    ),
    fix=Fix(
        action="choose_autodetection_method",
        text=(
            "Choose a method that fits on every node. Names of interfaces differ from host to host; the InternalIP or "
            "the nodes' subnets do not. can-reach needs a route, and DNS for a name, at the time of the start."
        ),
        risk="medium",
        disrupts="calico-node is restarted node by node",
        commands=lambda evidence, subject: (
            flannel_interface.commands_for(subject)
            if _only_flannel(evidence, subject)
            else choose_better(evidence, subject)
        ),
        remedy=lambda evidence, subject: None if _only_flannel(evidence, subject) else remedy(evidence, subject),
    ),
    verify="The node has an address on record, and its sessions are Established.",
    lookalikes=(
        Lookalike("ipv4_missing_on_host", "the host has no IPv4 address at all"),
        Lookalike("wrong_ip_autodetection", "an address is found, and it is the wrong one"),
    ),
    explains=("bird_not_running", "peer_bird_not_running", "confd_cannot_render", "undetermined", "stale_node_in_mesh"),
)


def _only_flannel(evidence: Evidence, subject: Subject) -> bool:
    """Say whether it is flannel alone that finds none: it looks for an interface of its own."""
    own = calico_finds_no_address(evidence, subject) or container_says_no_address(evidence, subject)
    return not own and bool(flannel_interface.flannel_finds_none(evidence, subject))


def _method(subject: Subject) -> str:
    detection = subject.node.own.detection.get("ipv4") if subject.node else None
    return f" by {detection.method}" if detection and detection.method else ""


def _without_ipv4(evidence: Evidence, subject: Subject) -> list[str]:
    off = {"calicoNetwork": {api.DETECTION["ipv4"]: None, api.DETECTION["ipv6"]: {"firstFound": True}}}
    variables = {"IP": "none", "IP6": "autodetect", "CALICO_ROUTER_ID": "hash"}
    plain = [api.set_variables(evidence, variables)]
    return [
        f"{commands.on_node(subject.nodes[0], 'ip -brief address')}   # should it have IPv4?",
        *api.at_owner(evidence, "autodetection_ipv4", plain, off, "none"),
    ]


IPV4_MISSING_ON_HOST = Fault(
    id="ipv4_missing_on_host",
    family="node_address",
    title="Calico wants an IPv4 address on a host that has none",
    severity="major",
    role="cause",
    means=(
        "Calico is told to use IPv4, and this host has IPv6 only. calico-node ends at its start, and no pod of the "
        "node gets a network."
    ),
    subjects=nodes_without_address,
    signals=(
        Signal(host_has_no_ipv4, STRONG, required=True),
        Signal(only_ipv6_is_given, STRONG, required=True),
        Signal(none_on_any_interface, WEAK, required=True),
        Signal(calico_finds_no_address, MODERATE),
        Signal(container_says_no_address, MODERATE),
        Signal(agent_is_unwell, MODERATE),
        Signal(host_has_ipv4, -DECISIVE),
    ),
    summary=lambda evidence, subject: (
        f"{subject.nodes[0]} has no IPv4 address, and Calico is told to find one there; calico-node does not start."
    ),
    fix=Fix(
        action="switch_to_ipv6",
        text=(
            "Where the cluster is to use IPv6 only, switch IPv4 off and IPv6 on in Calico (with router IDs made of the "
            "nodes' names), or else give the host an IPv4 address."
        ),
        risk="medium",
        disrupts="calico-node is restarted node by node",
        commands=_without_ipv4,
    ),
    verify="The pod of calico-node runs, the node has an address on record, and its sessions are Established.",
    prior=-2.0,
    lookalikes=(Lookalike("autodetection_found_nothing", "the host has IPv4 addresses, and the method fits none"),),
    explains=(
        *("autodetection_found_nothing", "bird_not_running", "peer_bird_not_running", "confd_cannot_render"),
        "undetermined",
    ),
)

FAULTS = (IPV4_MISSING_ON_HOST, AUTODETECTION_FOUND_NOTHING)
