# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the host's network settings: reverse path filters, forwarding, connection tracking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...module_utils._address.releases import parse_version
from .._evidence.host_state import ALL
from . import agent_pod, commands, host_words, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Remedy, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

# From this release on Felix does not look at the host's reverse path filter.
NO_CHECK_SINCE = (3, 20, 0)
_LOOSE = 2

# --- loose ------------------------------------------------------------------------------------------------------------


def loose_hosts(evidence: Evidence) -> Iterator[Subject]:
    """Nodes where Felix complains of the reverse path filter, or would by its release and the setting. Complaints are
    old where the setting was read and is another one now."""
    setting = "net.ipv4.conf.all.rp_filter"

    def concerned(node: Node) -> bool:
        complained = bool(node.control.lines("rpf_check")) and node.state.filter_of_all in (None, _LOOSE)
        return complained or _old(node, evidence)

    yield from host_words.each(evidence, concerned, setting=setting, value=_LOOSE)


def _old(node: Node, evidence: Evidence) -> bool:
    release = parse_version(host_words.release_of(evidence, node))
    return ALL in node.state.loose and release is not None and release < NO_CHECK_SINCE


def felix_refuses_to_start(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix says that the kernel's reverse path check is loose, and ends."""
    return host_words.told(subject, "rpf_check")


def filter_is_loose_everywhere(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The setting net.ipv4.conf.all.rp_filter is 2."""
    node = subject.node
    return [Seen(node.name, "sysctl", "net.ipv4.conf.all.rp_filter = 2")] if node and ALL in node.state.loose else []


def release_checks_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """This release of Felix does not start where net.ipv4.conf.all.rp_filter is 2."""
    node = subject.node
    if node is None or not _old(node, evidence):
        return []
    return [Seen(node.name, "release", host_words.release_of(evidence, node))]


def _not_loose(evidence: Evidence, subject: Subject) -> Remedy | None:
    """Another value for all interfaces, where it is 2 now."""
    loose = subject.node is not None and ALL in subject.node.state.loose
    return host_words.remedy(evidence, subject, "rp_filter") if loose else None


RP_FILTER_LOOSE = Fault(
    id="rp_filter_loose",
    family="host_felix",
    title="An old Felix does not start with a loose reverse path filter",
    severity="major",
    role="cause",
    means=(
        "Until 3.19 Felix relied on the kernel's own check against pods with forged source addresses and refused to "
        "start where net.ipv4.conf.all.rp_filter is 2 (loose), as newer distributions set it. calico-node restarts "
        "for ever. Newer releases check with rules of their own and do not care."
    ),
    subjects=loose_hosts,
    signals=(
        Signal(felix_refuses_to_start, DECISIVE, required=True),
        Signal(release_checks_it, MODERATE + WEAK, required=True),
        Signal(filter_is_loose_everywhere, MODERATE),
        Signal(host_words.felix_is_well, -DECISIVE),
    ),
    summary=lambda evidence, subject: (
        f"Felix on {subject.nodes[0]} does not start because net.ipv4.conf.all.rp_filter is 2 (loose)."
    ),
    fix=Fix(
        action="set_rp_filter",
        text=(
            "Set net.ipv4.conf.all.rp_filter to 1 (or 0) in /etc/sysctl.d so that it outlasts a reboot, or upgrade "
            "Calico. FelixConfiguration's ignoreLooseRPF (FELIX_IGNORELOOSERPF) makes an old Felix start all the "
            "same, and pods may then forge addresses."
        ),
        risk="low",
        disrupts="traffic that comes in by another interface than answers leave by, if there is any",
        commands=lambda evidence, subject: [
            commands.on_node(
                subject.nodes[0],
                "echo net.ipv4.conf.all.rp_filter=1 | sudo tee /etc/sysctl.d/90-calico.conf && sudo sysctl --system",
            ),
            agent_pod.delete(evidence, subject.nodes[0]),
        ],
        remedy=_not_loose,
    ),
    verify="Felix is ready, and its log has no new line about the RPF check.",
    lookalikes=(
        Lookalike("rp_filter_strict", "the setting is 1: Felix runs, and the kernel drops packets"),
        Lookalike("felix_crash_loop", "Felix names another reason"),
    ),
    explains=("felix_crash_loop", "undetermined"),
)

# --- strict -----------------------------------------------------------------------------------------------------------


def strict_hosts(evidence: Evidence) -> Iterator[Subject]:
    """Nodes with a strict reverse path filter towards other nodes that has dropped something."""
    for node in evidence.nodes.values():
        if node.state.strict and (node.state.reverse_path_dropped.total or _elsewhere(evidence, node)):
            where = {"node": node.name, "setting": "net.ipv4.conf.*.rp_filter", "interfaces": list(node.state.strict)}
            yield Subject((node.name,), evidence.down_at(node.name), where, node)


def _elsewhere(evidence: Evidence, node: Node) -> list[tuple[str, str, str]]:
    """Peers in trouble to whom answers leave by another interface than the one with the address that they know."""
    holding = {held.address: held.interface for held in node.addresses}
    found = []
    for session in evidence.down_at(node.name):
        side = session.side_of(node.name)
        reach = node.reachability.get(session.other(side).address) if side else None
        home = holding.get(side.address, "") if side else ""
        if reach and home and reach.device and reach.device != home:
            found.append((reach.peer, home, reach.device))
    return found


def kernel_drops_by_source(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel drops packets right now because their source is reached by another interface."""
    moved = subject.node.state.reverse_path_dropped if subject.node else None
    return (
        [Seen(subject.nodes[0], "IPReversePathFilter", f"grew by {moved.grew} to {moved.total}")]
        if moved and moved.grew
        else []
    )


def kernel_dropped_by_source(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel has dropped packets since boot because their source is reached by another interface."""
    moved = subject.node.state.reverse_path_dropped if subject.node else None
    return [Seen(subject.nodes[0], "IPReversePathFilter", str(moved.total))] if moved and moved.total else []


def ways_there_and_back_differ(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Packets to a peer leave by another interface than the one with the address to which the peer sends."""
    found = _elsewhere(evidence, subject.node) if subject.node else []
    return [Seen(subject.nodes[0], "routes", f"{peer}: in by {home}, out by {out}") for peer, home, out in found[:4]]


def sessions_fail_here(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Sessions of the node are down."""
    number = len(subject.sessions)
    return [Seen(subject.nodes[0], "bird", words.plural(number, "session"))] if number else []


def _loosen(evidence: Evidence, subject: Subject) -> Remedy | None:
    """Loose on the interfaces to which peers send; None where it is not known which these are."""
    homes = {home for _peer, home, _out in (_elsewhere(evidence, subject.node) if subject.node else ())}
    if not homes:
        return None
    return host_words.remedy(evidence, subject, "rp_filter", host_network_loose_interfaces=sorted(homes))


RP_FILTER_STRICT = Fault(
    id="rp_filter_strict",
    family="host_felix",
    title="The reverse path filter drops packets of other nodes",
    severity="major",
    role="cause",
    means=(
        'With rp_filter 1 (strict; the greater of an interface\'s and that of "all" counts) the kernel drops a packet '
        "whose source it would not answer by the same interface. With several NICs, policy routing or a tunnel that "
        "only one way uses, that hits good packets: they arrive (tcpdump shows them) and go no further. Only a "
        "counter tells."
    ),
    subjects=strict_hosts,
    signals=(
        Signal(kernel_drops_by_source, MODERATE, required=True),
        Signal(kernel_dropped_by_source, 0.1, required=True),
        Signal(ways_there_and_back_differ, STRONG + WEAK, required=True),
        Signal(sessions_fail_here, WEAK),
    ),
    summary=lambda evidence, subject: (
        f"{subject.nodes[0]} drops packets whose source it would answer by another interface (rp_filter is strict on "
        f"{words.listed(subject.where['interfaces'])})."
    ),
    fix=Fix(
        action="set_rp_filter",
        text=(
            "Make both directions use one interface (the route to the peers, or the address by which they know the "
            "node). Where they cannot, set rp_filter of that interface to 2 (loose) in /etc/sysctl.d, all's to 0 or 2; "
            'a Felix before 3.20 does not start if "all" is 2.'
        ),
        risk="medium",
        disrupts="nothing; a loose filter lets more forged packets in",
        commands=lambda evidence, subject: [
            commands.on_node(
                subject.nodes[0], "nstat -az TcpExtIPReversePathFilter; sysctl -a 2>/dev/null | grep '[.]rp_filter'"
            ),
            *(
                commands.on_node(
                    subject.nodes[0], f"ip route get {commands.word(peer, 'PEER')}   # should leave by {home}"
                )
                for peer, home, _out in (_elsewhere(evidence, subject.node)[:2] if subject.node else ())
            ),
        ],
        remedy=_loosen,
    ),
    verify="The counter IPReversePathFilter no longer grows, and the node's sessions are Established.",
    lookalikes=(
        Lookalike("tcp179_blocked_network", "the SYN never arrives, and no counter of the host grows"),
        Lookalike("conntrack_invalid", "a rule drops what fits no connection"),
        Lookalike("rp_filter_loose", "Felix does not start, and the setting is 2"),
    ),
    explains=("undetermined", "tcp179_blocked_network", "middlebox_breaks_bgp", "hold_timer_expired", "peer_node_down"),
)

# --- forwarding -------------------------------------------------------------------------------------------------------


def hosts_that_do_not_forward(evidence: Evidence) -> Iterator[Subject]:
    """Nodes on which forwarding is off, altogether or on interfaces towards peers or pods."""
    for node in evidence.nodes.values():
        for family, interfaces in node.state.forwarding_off.items():
            if interfaces:
                name = "net.ipv6.conf.all.forwarding" if family == "ipv6" else "net.ipv4.ip_forward"
                where = {"node": node.name, "setting": name, "value": 0, "interfaces": list(interfaces)}
                yield Subject((node.name,), (), where, node, (family, interfaces))


def forwarding_is_off(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Forwarding is off for the whole host."""
    return [Seen(subject.nodes[0], "sysctl", f"{subject.where['setting']} = 0")] if ALL in subject.about[1] else []


def interfaces_do_not_forward(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Interfaces that lead to pods or to other nodes do not forward."""
    _family, interfaces = subject.about
    named = [name for name in interfaces if name != ALL]
    return [Seen(subject.nodes[0], "sysctl", words.listed(named))] if named else []


IP_FORWARD_OFF = Fault(
    id="ip_forward_off",
    family="host_felix",
    title="The host does not forward packets",
    severity="major",
    role="cause",
    means=(
        "A node is a router for its pods. Felix turns forwarding on when it starts and never looks again, so what "
        "turns it off later (sysctl --system with ip_forward=0 in some file, a hardening job, a cloud agent) stays "
        "unnoticed: BGP is fine, every pod of the node is cut off from other nodes."
    ),
    subjects=hosts_that_do_not_forward,
    signals=(
        Signal(forwarding_is_off, STRONG + MODERATE, required=True),
        Signal(interfaces_do_not_forward, STRONG, required=True),
    ),
    summary=lambda evidence, subject: (
        f"{subject.nodes[0]} forwards no {'IPv6' if subject.about[0] == 'ipv6' else 'IPv4'} packets"
        + ("." if ALL in subject.about[1] else f" that come in by {words.listed(subject.about[1])}.")
    ),
    fix=Fix(
        action="enable_forwarding",
        text=(
            "Turn forwarding on, and find what turned it off: a file in /etc/sysctl.d, /run/sysctl.d or "
            "/usr/lib/sysctl.d, or /etc/sysctl.conf; the last one in order of names counts."
        ),
        risk="low",
        disrupts="nothing",
        commands=lambda evidence, subject: [
            commands.on_node(subject.nodes[0], f"sudo sysctl -w {subject.where['setting']}=1"),
            commands.on_node(
                subject.nodes[0], "grep -rs forward /etc/sysctl.conf /etc/sysctl.d /run/sysctl.d /usr/lib/sysctl.d"
            ),
        ],
        remedy=lambda evidence, subject: host_words.remedy(evidence, subject, "forwarding"),
    ),
    verify="The setting is 1 on the host and its interfaces, also after `sysctl --system`, and pods reach other nodes.",
    lookalikes=(
        Lookalike("host_firewall_blocks_pod_interfaces", "forwarding is on, and a rule in FORWARD stops pods' packets"),
        Lookalike("routes_missing", "the host forwards and has no route"),
    ),
)

# --- connection tracking ----------------------------------------------------------------------------------------------


def full_tables(evidence: Evidence) -> Iterator[Subject]:
    """Nodes whose connection tracking table is full, or that dropped packets for that."""
    for node in evidence.nodes.values():
        tracking = node.state.tracking
        if tracking.full or tracking.lost or node.control.lines("conntrack_full"):
            where = {"node": node.name, "setting": "net.netfilter.nf_conntrack_max", "value": tracking.most}
            yield Subject((node.name,), evidence.down_at(node.name), where, node)


def table_is_full(evidence: Evidence, subject: Subject) -> list[Seen]:
    """There is no room for new connections in the connection tracking table."""
    node = subject.node
    if node is None or not node.state.tracking.full:
        return []
    return [Seen(node.name, "conntrack", f"{node.state.tracking.entries} of {node.state.tracking.most} entries")]


def packets_are_dropped_for_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Packets are dropped right now because their connection finds no room."""
    lost = subject.node.state.tracking.lost if subject.node else {}
    grown = [f"{name} grew by {moved.grew}" for name, moved in lost.items() if moved.grew and name != "insert_failed"]
    return [Seen(subject.nodes[0], "conntrack", "; ".join(grown))] if grown else []


def kernel_says_so(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel says that the connection tracking table is full and that it drops packets."""
    return host_words.told(subject, "conntrack_full")


def there_is_room(evidence: Evidence, subject: Subject) -> list[Seen]:
    """There is a lot of room in the table now."""
    node = subject.node
    if node is None or not node.state.tracking.has_room:
        return []
    return [Seen(node.name, "conntrack", f"{node.state.tracking.entries} of {node.state.tracking.most} entries")]


def _enlarge(evidence: Evidence, subject: Subject) -> Remedy | None:
    """A table of twice the size, where it is full now."""
    node = subject.node
    return host_words.remedy(evidence, subject, "conntrack") if node and node.state.tracking.full else None


CONNTRACK_FULL = Fault(
    id="conntrack_full",
    family="host_felix",
    title="The connection tracking table is full",
    severity="major",
    role="cause",
    means=(
        "Every connection through a host that filters has an entry in one table. Once it is full the kernel drops "
        "the first packet of each new one: what is open goes on, what is new fails now and then or always. BGP "
        "sessions that restart, probes, DNS and calls to the API fail alike, and it looks like a bad network."
    ),
    subjects=full_tables,
    signals=(
        Signal(table_is_full, STRONG, required=True),
        Signal(packets_are_dropped_for_it, STRONG, required=True),
        Signal(kernel_says_so, STRONG + WEAK, required=True),
        Signal(there_is_room, -STRONG),
    ),
    summary=lambda evidence, subject: (
        f"The connection tracking table of {subject.nodes[0]} is full: new connections are dropped there."
    ),
    fix=Fix(
        action="raise_conntrack_max",
        text=(
            "Raise net.netfilter.nf_conntrack_max (kube-proxy sets it, too: conntrack.maxPerCore) and find who "
            "opens so many connections: a flood of DNS, an attack, timeouts that are too long. An entry takes about "
            "320 bytes of memory."
        ),
        risk="low",
        disrupts="nothing",
        commands=lambda evidence, subject: [
            commands.on_node(
                subject.nodes[0],
                f"sudo sysctl -w net.netfilter.nf_conntrack_max={2 * (subject.where['value'] or 131072)}",
            ),
            commands.on_node(
                subject.nodes[0],
                "sudo conntrack -L 2>/dev/null | grep -oE 'src=[^ ]+' | sort | uniq -c | sort -rn | head",
            ),
        ],
        remedy=_enlarge,
    ),
    verify="There are fewer entries than nine tenths of nf_conntrack_max, and the kernel reports no more drops.",
    lookalikes=(
        Lookalike("tcp179_blocked_host_firewall", "a rule decides, and it stops every packet"),
        Lookalike("tcp179_blocked_network", "the packets do not arrive at the host"),
        Lookalike("conntrack_invalid", "packets of known hosts fit no connection; the table has room"),
    ),
    explains=(
        "undetermined",
        "tcp179_blocked_network",
        "hold_timer_expired",
        "middlebox_breaks_bgp",
        "peer_node_down",
        "typha_port_blocked",
        "apiserver_unreachable",
    ),
)

FAULTS = (IP_FORWARD_OFF, CONNTRACK_FULL, RP_FILTER_STRICT, RP_FILTER_LOOSE)
