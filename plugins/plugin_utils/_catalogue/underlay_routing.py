# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of what lies between the nodes and is not Calico's: a cloud's checks, next hops, a hypervisor's filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._evidence.age import when
from . import api, commands, fix_lines, observed, packet_signals, pool_modes, words
from .address_claims import claims, network_of, within
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Missing, Remedy, Seen, Signal, Subject
from .packet_signals import NONE
from .pools import pools_in_use

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import LogLine, Node

# Clouds whose networks deliver only packets from and to addresses that they gave to a machine themselves.
CHECKING = {
    "aws": "the source/destination check of the instance's interfaces",
    "gcp": "canIpForward of the instance",
    "openstack": "port security (allowed address pairs)",
    "alibaba": "the source/destination check of the interface",
    "oci": "the source/destination check of the VNIC",
    "ibm": "IP spoofing protection of the interface",
}
_HYPERVISORS = (
    "kvm",
    "libvirt",
    "proxmox",
    "xen",
    "vmware",
    "vsphere",
    "hyper-v",
    "qemu",
    "virtualbox",
    "bhyve",
    "ovirt",
)
# confd has BIRD scan every two seconds (scan time 2).
AGAIN_SECONDS = 15
_NOT_REACHED = "etwork is unreachable"
# Felix' words where it may not change the check itself (felix/aws/ec2.go).
_AWS_FAILED = "source-destination-check"

# --- a cloud's check of addresses ---------------------------------------------------------------------------------


def unencapsulated_in_clouds(evidence: Evidence) -> Iterator[Subject]:
    """Pools whose packets travel under pods' own addresses through the network of a cloud that checks addresses."""
    cloud = packet_signals.platform(evidence)
    if cloud not in CHECKING or not _bare(evidence):
        return
    empty = Subject(())
    lost = (
        observed.fails_across(evidence)
        or packets_leave_bare(evidence, empty)
        or only_other_subnets_work(evidence, empty)
    )
    # In most such clusters the check is off, and whoever set them up knows of it.
    if not lost and not felix_may_not_change_it(evidence, empty):
        return
    names = packet_signals.names_of(evidence)
    pool = next((pool for pool in pools_in_use(evidence) if pool.bare or pool.crossing), None)
    where = api.where(pool.what, pool.field, cidr=pool.cidr) if pool else {"nodes": list(names)}
    yield Subject(names, (), where, None, cloud)


def _bare(evidence: Evidence) -> bool:
    """Something travels without encapsulation, always or within a subnet."""
    pools = pools_in_use(evidence)
    return any(pool.bare or pool.crossing for pool in pools) or (
        not pools and NONE in packet_signals.encapsulations(evidence)
    )


def cloud_checks_addresses(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The cloud drops packets that are from, or to, no address of the machine's own, unless it is told not to."""
    return [Seen("", "platform", f"{subject.about}: {CHECKING[subject.about]}")]


def pods_of_other_nodes_are_lost(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Pods do not reach those of other nodes."""
    return observed.fails_across(evidence)


def pods_pass(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Pods of different nodes do reach each other."""
    return observed.works_across(evidence)


def only_other_subnets_work(evidence: Evidence, subject: Subject) -> list[Seen]:
    """What goes to another subnet, encapsulated, passes; what stays within the subnet does not."""
    found = observed.only_within(evidence, "cross-subnet", "other-subnet")
    return found if any(pool.crossing for pool in pools_in_use(evidence)) else []


def packets_leave_bare(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A capture shows packets of pods that leave under their own addresses, and none that comes back."""
    own = {held.address for node in evidence.nodes.values() for held in node.addresses}
    lost = packet_signals.one_way(evidence, "tcp", "udp", "icmp")
    return [seen for seen in lost if not any(f"from {address} " in seen.detail for address in own)]


def felix_may_not_change_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix was told to switch the check off, and may not."""
    return [
        Seen(node.name, f"log of {line.component or 'calico-node'}", line.text, line.at)
        for node in evidence.nodes.values()
        for line in node.control.log
        if _AWS_FAILED in line.text and "Fail" in line.text
    ][:2]


def _felix_setting(evidence: Evidence) -> str:
    found = evidence.cluster.felix_configurations.get("default") if evidence.cluster else None
    return str(found.spec.get("awsSrcDstCheck") or "") if found else ""


def felix_switches_it_off(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix switches the check off (awsSrcDstCheck: Disable)."""
    off = _felix_setting(evidence).lower() == "disable"
    told = off and not felix_may_not_change_it(evidence, subject)
    return [api.seen("FelixConfiguration default", "spec.awsSrcDstCheck", "Disable")] if told else []


def felix_leaves_it_on(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix is told to switch the check on, or to leave it as it is."""
    told = _felix_setting(evidence)
    return (
        [api.seen("FelixConfiguration default", "spec.awsSrcDstCheck", told)]
        if told.lower() in ("enable", "donothing")
        else []
    )


def bgp_is_well(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The BGP sessions are up: the nodes do reach each other."""
    return packet_signals.sessions_are_up(evidence)


def _instances(evidence: Evidence, subject: Subject, cloud: str) -> list[str]:
    """What the cloud calls the machines of the nodes; a word to fill in where Kubernetes does not tell."""
    nodes = evidence.cluster.nodes.values() if evidence.cluster else ()
    told = [one.provider_id.rpartition("/")[2] for one in nodes if one.provider_id.startswith(f"{cloud}://")]
    return [commands.word(one, "INSTANCE") for one in told] or ["INSTANCE"]


def _cloud_commands(evidence: Evidence, subject: Subject) -> list[str]:
    if subject.about == "aws":
        instances = _instances(evidence, subject, "aws")
        return [
            *(f"aws ec2 modify-instance-attribute --no-source-dest-check --instance-id {one}" for one in instances),
            api.patch(evidence, "FelixConfiguration", "default", {"awsSrcDstCheck": "Disable"}),
        ]
    if subject.about == "openstack":
        ranges = [pool.cidr for pool in pools_in_use(evidence) if pool.cidr] or ["POD-RANGE"]
        return [f"openstack port set --allowed-address ip-address={commands.word(ranges[0], 'POD-RANGE')} PORT"]
    if subject.about == "gcp":
        return [
            f"gcloud compute instances describe {one} --format='value(canIpForward)'   # else: made anew with it"
            for one in _instances(evidence, subject, "gce")
        ]
    return [f"switch off {CHECKING[subject.about]} for every node"]


CLOUD_SOURCE_DEST_CHECK = Fault(
    id="cloud_source_dest_check",
    family="encapsulation",
    title="The cloud drops packets of pods' own addresses",
    severity="critical",
    role="cause",
    means=(
        "Without encapsulation, and with CrossSubnet within a subnet, pods' packets travel between nodes under "
        "the pods' own "
        "addresses. The cloud's network checks that a machine sends and receives under its own address only, and drops "
        "them. BGP itself, which is between the nodes' addresses, is well."
    ),
    subjects=unencapsulated_in_clouds,
    signals=(
        Signal(pods_of_other_nodes_are_lost, STRONG, required=True),
        Signal(felix_may_not_change_it, STRONG, required=True),
        Signal(packets_leave_bare, STRONG, required=True),
        Signal(only_other_subnets_work, STRONG, required=True),
        Signal(cloud_checks_addresses, WEAK),
        Signal(felix_leaves_it_on, WEAK),
        Signal(bgp_is_well, WEAK),
        Signal(felix_switches_it_off, -STRONG),
        Signal(pods_pass, -DECISIVE),
    ),
    summary=lambda evidence, subject: (
        f"Pods' packets travel unencapsulated through a cloud ({subject.about}) that drops addresses which it "
        "does not know: "
        f"{CHECKING[subject.about]}."
    ),
    fix=Fix(
        action="switch_source_check_off",
        text=(
            "Switch the check off on every node's interface (and in what makes new nodes), or let Felix do it on AWS "
            "(awsSrcDstCheck: Disable, with the right ec2:ModifyNetworkInterfaceAttribute), or encapsulate always."
        ),
        risk="medium",
        disrupts="nothing; a change of the encapsulation instead cuts pods' traffic for some seconds",
        commands=_cloud_commands,
    ),
    verify="A pod reaches a pod of another node in the same subnet.",
    lookalikes=(
        Lookalike("encapsulation_disabled_but_needed", "what is lost goes to another subnet, by way of a router"),
        Lookalike("hypervisor_iptables", "no cloud but somebody's own hypervisor is below the nodes"),
        Lookalike("ipip_blocked", "packets are encapsulated, and the tunnel's protocol is dropped"),
    ),
    missing=lambda evidence, subject: [
        Missing(
            "",
            "cloud",
            _cloud_commands(evidence, subject)[-1]
            if subject.about != "aws"
            else "aws ec2 describe-instance-attribute --attribute sourceDestCheck --instance-id INSTANCE",
            "whether the check is on for the nodes' interfaces",
        )
    ],
)

# --- next hops that are not on the link ---------------------------------------------------------------------------


def refused_next_hops(evidence: Evidence) -> Iterator[Subject]:
    """Nodes whose kernel refuses BIRD's routes, or whose routes have next hops that are not on the link."""
    nodes = [
        node
        for node in evidence.nodes.values()
        if _refusals(node) or node.packets.next_hops_off_link or node.packets.refusing_routes
    ]
    if nodes:
        names = tuple(sorted(node.name for node in nodes))
        hops = sorted({hop for node in nodes for hop in node.packets.next_hops_off_link})
        where = {"node": names[0], "nodes": list(names), **({"next_hops": hops} if hops else {})}
        yield Subject(names, (), where, evidence.nodes[names[0]], nodes)


def _refusals(node: Node) -> list[LogLine]:
    """Lines of BIRD's in which the kernel refuses a route for its next hop."""
    if _all_are_there(node):
        return []
    refused = [line for line in node.log_lines("kernel_route") if _NOT_REACHED in line.value]
    return [line for line in refused if not _is_over(node, line)] + node.log_lines("next_hop_unresolvable")


def _is_over(node: Node, line: LogLine) -> bool:
    """BIRD, which is at work, would have said it again: it tries at each scan of the kernel, every few seconds."""
    said, looked = when(line.at), when(node.taken_at)
    if said is None or looked is None or not any(one.socket_state == "answers" for one in node.daemons.values()):
        return False
    return (looked - said).total_seconds() > AGAIN_SECONDS


def _all_are_there(node: Node) -> bool:
    """The kernel has every route that BIRD gives it: whatever it refused, it has taken by now."""
    told = [routes for routes in node.host.routes.values() if routes.bird]
    return bool(told) and all(routes.exported is None for routes in told) and not node.lacks("host_routes")


def kernel_refuses_routes(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel refuses routes that BIRD gives it: their next hops are not on the link."""
    return [
        Seen(node.name, "log of bird", f"{line.text}{f' ({line.count} times)' if line.count > 1 else ''}", line.at)
        for node in subject.about
        for line in _refusals(node)
        if line.kind == "kernel_route"
    ][:4]


def next_hop_is_not_resolved(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD knows a next hop by way of another route of BGP's only, and does not use the route."""
    return [
        Seen(node.name, "log of bird", line.text, line.at)
        for node in subject.about
        for line in _refusals(node)
        if line.kind == "next_hop_unresolvable"
    ][:4]


def routes_lead_off_the_link(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Routes to pods have next hops that are not on the link of their device."""
    return [
        Seen(node.name, "routes", f"{words.plural(number, 'route')} via {hop}")
        for node in subject.about
        for hop, number in node.packets.next_hops_off_link.items()
    ][:4]


def bird_sees_no_way(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD has routes for which it knows no way to the next hop: it gives them to the kernel as unreachable."""
    return [
        Seen(node.name, "routes", f"unreachable {one}, made by BIRD")
        for node in subject.about
        for one in node.packets.refusing_routes
    ][:4]


def nothing_is_encapsulated(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Nothing is encapsulated here, so that a next hop has to be a neighbour."""
    found = packet_signals.encapsulations(evidence)
    pools = [pool for pool in pools_in_use(evidence) if pool.bare]
    if found != {NONE}:
        return []
    return [api.seen(pool.what, pool.field, "ipip Never, vxlan Never") for pool in pools[:2]] or [
        Seen("", "mtu", "no tunnel is in use")
    ]


def routes_are_missing(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Of the routes that BIRD gives to the kernel some are not there."""
    return [
        Seen(node.name, "routes", f"{routes.in_kernel} of {routes.exported}")
        for node in subject.about
        for routes in node.host.routes.values()
        if routes.exported and routes.in_kernel is not None and routes.in_kernel < routes.exported
    ][:4]


def tunnels_carry_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """What goes between nodes is encapsulated: a next hop need not be a neighbour."""
    found = packet_signals.encapsulations(evidence) - {NONE}
    return [Seen("", "encapsulation", words.listed(sorted(found)))] if found else []


def _hop_summary(evidence: Evidence, subject: Subject) -> str:
    hops = subject.where.get("next_hops")
    by = f" ({words.listed(hops)})" if hops else ""
    return (
        f"The kernel of {words.listed(subject.nodes)} does not take routes to other nodes' pods: their next "
        f"hops{by} are not "
        "on the link, and nothing is encapsulated."
    )


def _hop_commands(evidence: Evidence, subject: Subject) -> list[str]:
    hop = commands.word((subject.where.get("next_hops") or ["NODE-ADDRESS"])[0], "NODE-ADDRESS")
    bare = [pool for pool in pools_in_use(evidence) if pool.bare and pool.what.startswith("IPPool ")]
    names = tuple(pool.what.partition(" ")[2] for pool in bare)
    modes = pool_modes.better(evidence, bare[0]) if bare else (fix_lines.NEVER, fix_lines.CROSS)
    change = fix_lines.pool_changes(evidence, *modes, names)
    return [*packet_signals.on(subject.nodes[0], [f"ip route get {hop}; ip -br address"]), *change]


def _hop_remedy(evidence: Evidence, subject: Subject) -> Remedy | None:
    """None where the next hop is in the node's own subnet: then it is the host's route to that which is missing."""
    hops = subject.where.get("next_hops") or ()
    own = [network_of(claim.stored) for claim in claims(evidence) if claim.name in subject.nodes]
    if not hops or any(within(hop, network) for hop in hops for network in own if network is not None):
        return None
    return pool_modes.remedy(evidence, [pool for pool in pools_in_use(evidence) if pool.bare])


NO_ENCAP_NEXT_HOP_NOT_ONLINK = Fault(
    id="no_encap_next_hop_not_onlink",
    family="encapsulation",
    title="Next hops are not on the link, and nothing is encapsulated",
    severity="major",
    role="cause",
    means=(
        "Without encapsulation a route to another node's pods leads to that node's address, which must be a "
        "neighbour on "
        "the link. Where it is reached by way of a router, or has an address of /32, the kernel refuses the route "
        "(Network is unreachable) or sends the packets to a router that does not know them. Sessions are up all "
        "the same."
    ),
    subjects=refused_next_hops,
    signals=(
        Signal(kernel_refuses_routes, STRONG, required=True),
        Signal(next_hop_is_not_resolved, STRONG, required=True),
        Signal(routes_lead_off_the_link, STRONG, required=True),
        Signal(bird_sees_no_way, MODERATE, required=True),
        Signal(nothing_is_encapsulated, MODERATE),
        Signal(routes_are_missing, MODERATE),
        Signal(tunnels_carry_it, -STRONG),
    ),
    summary=_hop_summary,
    fix=Fix(
        action="encapsulate_or_link",
        text=(
            "Let the pool encapsulate (VXLAN, or IPIP, CrossSubnet or Always), or put the nodes into one subnet, or "
            "have routers between them learn the pods' routes by BGP. Where the host's own route to its subnet "
            "is missing, put it back."
        ),
        risk="high",
        disrupts="traffic between pods of different nodes for some seconds; pods keep their MTU until they are remade",
        commands=_hop_commands,
        remedy=_hop_remedy,
    ),
    verify=(
        "Every route to other nodes' pods is in the kernel, no new line of BIRD's tells of Netlink, and pods "
        "reach each other."
    ),
    lookalikes=(
        Lookalike(
            "encapsulation_disabled_but_needed", "the routes are taken, and a router on the way does not know pods"
        ),
        Lookalike("routes_missing", "the kernel refuses nothing; the routes are not learned or filtered"),
        Lookalike("wrong_ip_autodetection", "the next hop is the address of a wrong interface"),
    ),
    explains=("routes_missing", "encapsulation_disabled_but_needed"),
)

# --- the hypervisor's filter --------------------------------------------------------------------------------------


def guests_that_lose_packets(evidence: Evidence) -> Iterator[Subject]:
    """Nodes that are guests of somebody's own hypervisor, and between which some protocols pass and others do not."""
    machine = packet_signals.platform(evidence)
    if not any(word in machine for word in _HYPERVISORS) and machine != "openstack":
        return
    if observed.by_protocol(evidence)[1] or observed.fails_across(evidence):
        names = packet_signals.names_of(evidence)
        yield Subject(names, (), {"nodes": list(names), "platform": machine}, None, machine)


def some_protocols_pass(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Between the same pods a ping passes, and TCP or UDP does not."""
    passing, lost = observed.by_protocol(evidence)
    return [*passing[:1], *lost[:3]] if lost else []


def pods_lose_everything(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Pods do not reach those of other nodes."""
    return observed.fails_across(evidence) if not observed.by_protocol(evidence)[1] else []


def nodes_are_guests(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The nodes are virtual machines: whatever filters on their host, filters their packets."""
    return packet_signals.platform_seen(evidence, str(subject.about))


def pods_travel_bare(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Pods' packets travel under their own addresses, which the hypervisor's rules may not know."""
    return [Seen("", "encapsulation", NONE)] if packet_signals.encapsulations(evidence) == {NONE} else []


def tunnels_hide_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """All of it travels in a tunnel: who filters outside cannot tell its pings from its TCP."""
    used = packet_signals.encapsulations(evidence)
    hidden = bool(used) and NONE not in used and bool(observed.by_protocol(evidence)[1])
    return [Seen("", "encapsulation", words.listed(sorted(used)))] if hidden else []


def hosts_let_it_pass(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The nodes' own firewalls stop nothing of pods' packets."""
    asked = [node for node in evidence.nodes.values() if node.packets.pods_accepted]
    well = [node for node in asked if not any(block.surely for block in node.packets.pods)]
    return [Seen("", "firewall", f"on {words.plural(len(well), 'node')}")] if well and len(well) == len(asked) else []


HYPERVISOR_IPTABLES = Fault(
    id="hypervisor_iptables",
    family="reachability",
    title="The hypervisor filters what goes between the nodes",
    severity="major",
    role="cause",
    means=(
        "The nodes are virtual machines, and the host below them filters or translates what its bridge carries "
        "(net.bridge.bridge-nf-call-iptables, libvirt's networks, a firewall of the hypervisor's). Packets of "
        "addresses "
        "that it does not know, or of connections that it sees by halves, are dropped, while the nodes' own "
        "rules are well."
    ),
    subjects=guests_that_lose_packets,
    signals=(
        Signal(some_protocols_pass, MODERATE + WEAK, required=True),
        Signal(pods_lose_everything, WEAK, required=True),
        Signal(nodes_are_guests, WEAK),
        Signal(pods_travel_bare, WEAK),
        Signal(bgp_is_well, WEAK),
        Signal(hosts_let_it_pass, WEAK),
        Signal(tunnels_hide_it, -STRONG),
        Signal(pods_pass, -DECISIVE),
    ),
    summary=lambda evidence, subject: (
        f"The nodes are guests ({subject.about}), and of what pods send between them some is lost, not by the "
        "nodes' own "
        "rules: look at the filters of the host that they run on."
    ),
    fix=Fix(
        action="open_hypervisor",
        text=(
            "On the machine that the nodes run on: let its bridge carry what it does not filter for itself "
            "(bridge-nf-call-"
            "iptables=0), or allow what goes between the nodes in its rules, or change the filter of the virtual "
            "network."
        ),
        risk="medium",
        disrupts="nothing for the nodes; other guests are filtered less",
        commands=lambda evidence, subject: [
            (
                "on the hypervisor: sysctl net.bridge.bridge-nf-call-iptables; sudo iptables-save -c; sudo nft list "
                "ruleset"
            ),
            "on the hypervisor: sudo sysctl -w net.bridge.bridge-nf-call-iptables=0   # if it is 1 and needs not be",
            *(
                f"on the hypervisor: sudo tcpdump -c 20 -ni any 'net {commands.word(pool.cidr, 'POD-RANGE')}'"
                for pool in pools_in_use(evidence)[:2]
                if pool.cidr
            ),
        ],
    ),
    verify="TCP between pods of different nodes passes, and the hypervisor's counters of dropped packets stand still.",
    prior=-1.2,
    lookalikes=(
        Lookalike("cloud_source_dest_check", "the machines are a cloud's, which checks addresses"),
        Lookalike("checksum_offload", "the packets arrive, with wrong checksums"),
        Lookalike("host_firewall_blocks_pod_interfaces", "a rule of the node's own stops them"),
    ),
    missing=lambda evidence, subject: [
        Missing(
            "",
            "hypervisor",
            "on the machine that the nodes run on: sudo iptables-save -c; sysctl net.bridge.bridge-nf-call-iptables",
            "whether its rules drop what goes between the nodes",
        )
    ],
)

FAULTS = (NO_ENCAP_NEXT_HOP_NOT_ONLINK, CLOUD_SOURCE_DEST_CHECK, HYPERVISOR_IPTABLES)
