# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that old releases of Calico render: nobody dials, or BIRD throws away what is in use. And a key that the
kernel refuses."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from .._cluster import effective, versions
from . import agent_pod, api, commands, host_words, passwords, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node, Protocol
    from .._evidence.sessions import Session, Side

# --- nobody dials -----------------------------------------------------------------------------------------------------

# These compared an IPv6 peer with the node's IPv4 address to find out who dials (corrected in 3.5.4 and 3.6.1).
COMPARES_WRONGLY = (((3, 3, 0), (3, 5, 3)), ((3, 6, 0), (3, 6, 0)))
AUTOMATIC = ("Mesh", "Global")
# To who calls an address behind a blackhole route the kernel says "invalid argument" at once.
_DIALLED = re.compile(r"dial tcp \[?([0-9a-fA-F.:]{2,45}?)\]?:\d{1,5}: connect: invalid argument")

# utils.go and dataplane_linux.go below cni-plugin/pkg/dataplane.
_TAKEN = re.compile(r"Dst: ([0-9a-fA-F.:]{2,45})/\d{1,3}\b[^)]{0,80}\) already exists for an interface other than")
# Earlier releases are told so what of Services' addresses they announce.
ADVERTISED = "CALICO_ADVERTISE_CLUSTER_IPS"


def undialled(evidence: Evidence) -> Iterator[Subject]:
    """Sessions of a family that wait at both ends, or at the end that should dial; one subject for each family."""
    for family in ("ipv4", "ipv6"):
        found = [one for one in evidence.table.down if one.family == family and _waits(evidence, one)]
        if found:
            waiting = [(side, one) for one in found for side in _waiting(one)]
            wrong = [(side, one) for side, one in waiting if _should_dial(evidence, side, one)] or waiting
            names = tuple(dict.fromkeys(side.node.name for side, _session in wrong if side.node))
            where = {"node": names[0], "family": family, "setting": "passive on"}
            yield Subject(names, tuple(found), where, evidence.nodes.get(names[0]))


def _waiting(session: Session) -> list[Side]:
    """The ends that are told to wait."""
    return [side for side, _other in session.sides() if side.protocol and side.protocol.passive]


def _waits(evidence: Evidence, session: Session) -> bool:
    ends = _waiting(session)
    return len(ends) == 2 or any(_should_dial(evidence, side, session) for side in ends) or _all_wait(evidence, session)


def _should_dial(evidence: Evidence, side: Side, session: Session) -> bool:
    """This end waits although its address is the greater string: Calico then leaves it to this end to dial."""
    other = session.other(side)
    kind = side.protocol.kind if side.protocol else ""
    return kind in AUTOMATIC and bool(side.address) and evidence.real.greater(side.address, other.address)


def _all_wait(evidence: Evidence, session: Session) -> bool:
    """Of one end nothing is known, and the other one waits for all its peers of the family without having any."""
    if session.family != "ipv6":
        return False
    for side in _waiting(session):
        daemon = side.daemon
        if session.other(side).node is None and daemon and not daemon.established:
            return len(daemon.troubled) > 1 and all(one.passive for one in daemon.troubled.values())
    return False


def both_ends_wait(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Both ends are told to wait for the other one to dial."""
    return [
        Seen(side.label, "bird.cfg", f"{side.protocol.name}: passive on")
        for session in subject.sessions
        if len(_waiting(session)) == 2
        for side in _waiting(session)
        if side.protocol
    ]


def who_should_dial_waits(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The end whose address is the greater string, which is to dial, is told to wait."""
    return [
        Seen(side.label, "bird.cfg", f"{side.address} waits for {session.other(side).address}")
        for session in subject.sessions
        if len(_waiting(session)) < 2
        for side in _waiting(session)
        if _should_dial(evidence, side, session)
    ]


def waits_for_all_ipv6_peers(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A node waits for every IPv6 peer that it has, and none has come."""
    return [
        Seen(side.label, "bird", f"{words.plural(len(side.daemon.troubled), 'peer')}, all passive")
        for session in subject.sessions[:1]
        for side in _waiting(session)
        if side.daemon and _all_wait(evidence, session)
    ]


def release_compares_wrongly(evidence: Evidence, subject: Subject) -> list[Seen]:
    """This release compares IPv6 peers with the node's IPv4 address and so lets every node wait."""
    if subject.where.get("family") != "ipv6":
        return []
    text = host_words.release_of(evidence, subject.node)
    release = versions.release(text)
    wrong = release is not None and any(first <= release <= last for first, last in COMPARES_WRONGLY)
    return [Seen(subject.nodes[0], "release", text)] if wrong else []


def an_end_dials(evidence: Evidence, subject: Subject) -> list[Seen]:
    """One of the ends tries to connect."""
    return [
        Seen(side.label, "bird", f"{side.protocol.name} is {words.state(side.protocol)}")
        for session in subject.sessions
        for side, _other in session.sides()
        if side.protocol
        and side.protocol.bgp_state in ("Connect", "Active", "OpenSent", "OpenConfirm")
        and not side.protocol.passive
    ][:3]


CALICO_BUG_PASSIVE = Fault(
    id="calico_bug_passive",
    family="bird_confd",
    title="Both ends wait for the other one to dial",
    severity="critical",
    role="cause",
    means=(
        "In the mesh one end dials and the other one waits (passive): the greater address, compared as text, dials. "
        "Calico 3.3 to 3.5.3 and 3.6.0 compared IPv6 peers with the node's IPv4 address, so that every node waits "
        "and no IPv6 session ever comes up; templates of one's own can do the same. Nothing is blocked, nothing is "
        "logged."
    ),
    subjects=undialled,
    signals=(
        Signal(both_ends_wait, DECISIVE, required=True),
        Signal(who_should_dial_waits, STRONG + WEAK, required=True),
        Signal(waits_for_all_ipv6_peers, WEAK, required=True),
        Signal(release_compares_wrongly, STRONG),
        Signal(an_end_dials, -DECISIVE),
    ),
    summary=lambda evidence, subject: (
        f"Nobody dials {words.plural(len(subject.sessions), 'session')} of "
        f"{'IPv6' if subject.where['family'] == 'ipv6' else 'IPv4'} at {words.listed(subject.nodes)}: who should "
        "dial waits."
    ),
    fix=Fix(
        action="upgrade_calico",
        text=(
            "Upgrade Calico (3.5.4, 3.6.1 and later compare rightly), or correct the template that says `passive "
            "on`. Until then a BGPPeer for the nodes in place of the mesh helps: both ends of such a session dial."
        ),
        risk="medium",
        disrupts="a rolling restart of calico-node; the sessions concerned are down anyway",
        commands=lambda evidence, subject: [
            agent_pod.run(
                evidence,
                subject.nodes[0],
                "grep -n -B4 'passive on' /etc/calico/confd/config/bird.cfg /etc/calico/confd/config/bird6.cfg",
            ),
            "kubectl get daemonset -A -l k8s-app=calico-node -o wide",
        ],
    ),
    verify="Of every pair of nodes exactly one has `passive on` for the other one, and the sessions are Established.",
    lookalikes=(
        Lookalike("tcp179_blocked_host_firewall", "one end dials (Connect) and gets no answer"),
        Lookalike("as_mismatch", "one end dials and the connection is refused by what is said on it"),
    ),
    explains=("undetermined",),
)

# --- a black hole over what is in use ---------------------------------------------------------------------------------


def swallowed(evidence: Evidence) -> Iterator[Subject]:
    """Nodes whose kernel throws away, by a route of BIRD's, what is sent to addresses that are in use."""
    for node in evidence.nodes.values():
        for holes in node.state.blackholes.values():
            for hole in holes:
                found = _in_use(evidence, node, hole)
                if found:
                    where = {"node": node.name, "route": f"blackhole {hole}"}
                    yield Subject((node.name,), evidence.down_at(node.name), where, node, (hole, found))


def _in_use(evidence: Evidence, node: Node, hole: str) -> list[tuple[str, str]]:
    """What of a destination is in use and is no block of pods, as (address or range, what it is)."""
    try:
        lost = ipaddress.ip_network(hole, strict=False)
    except ValueError:
        return []
    own = [str(lost.network_address)] if lost.num_addresses == 1 else []
    taken = [(address, "a pod here that gets no route") for address in own if address in _pods_without_route(node)]
    if taken:
        return taken
    if any(_within(lost, pool.cidr) for pool in (evidence.cluster.pools if evidence.cluster else ()) if _of_pods(pool)):
        return []
    found = [(address, what) for address, what in _used(evidence, node).items() if _covers(lost, address)]
    return found[:6]


def _pods_without_route(node: Node) -> set[str]:
    """Addresses for which the CNI plugin cannot make a pod's route, because another route of the host has them."""
    lines = node.control.lines("pod_route_taken")
    return {match.group(1) for line in lines for match in _TAKEN.finditer(line.text)}


def _of_pods(pool: object) -> bool:
    return getattr(pool, "allowed_uses", ()) != ("LoadBalancer",)


def _used(evidence: Evidence, node: Node) -> dict[str, str]:
    """Addresses and ranges that are not pods' and that this host may have to reach."""
    found: dict[str, str] = {}
    cluster = evidence.cluster
    variable = effective.variable(cluster, api.agent(evidence), ADVERTISED) if cluster else None
    ranges = variable.value.split(",") if variable and variable.known else []
    found.update(dict.fromkeys((one.strip() for one in ranges), "the cluster's Services"))
    for one in cluster.bgp_configurations.values() if cluster else ():
        found.update(dict.fromkeys(one.service_cluster_cidrs, "the cluster's Services"))
        found.update(dict.fromkeys(one.service_external_cidrs, "Services' external addresses"))
        found.update(dict.fromkeys(one.service_load_balancer_cidrs, "Services' load balancer addresses"))
    for service in cluster.services if cluster else ():
        found.update(dict.fromkeys(service.cluster_ips, f"Service {service.namespace}/{service.name}"))
    for line in node.control.log:
        found.update(
            (match.group(1), f"called by {line.component or 'Calico'}") for match in _DIALLED.finditer(line.text)
        )
    for connection in node.control.apiserver:
        found[connection.address] = "the API server"
    for other in evidence.nodes.values():
        found.update((address, f"node {other.name}") for address in other.bgp_addresses.values())
    found.pop("", None)
    return found


def _within(lost: ipaddress.IPv4Network | ipaddress.IPv6Network, cidr: str) -> bool:
    try:
        pool = ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return False
    return pool.version == lost.version and pool.supernet_of(lost)  # type: ignore[arg-type]


def _covers(lost: ipaddress.IPv4Network | ipaddress.IPv6Network, used: str) -> bool:
    """The destination holds the address, or has to do with the range."""
    try:
        other = ipaddress.ip_network(used, strict=False)
    except ValueError:
        return False
    return other.version == lost.version and other.overlaps(lost)


def route_swallows_what_is_used(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel has a blackhole route of BIRD's over addresses that are in use."""
    hole, found = subject.about
    shown = words.listed(f"{address} ({what})" for address, what in found)
    return [Seen(subject.nodes[0], "routes", f"blackhole {hole}: {shown}")]


def calls_to_it_get_no_answer(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node's connections to such an address get no answer."""
    node = subject.node
    lost = {address for address, _what in subject.about[1]}
    return [
        Seen(node.name, "sockets", f"{one.endpoint}: asked for a connection, no answer")
        for one in (node.control.apiserver if node else ())
        if node and one.address in lost and one.unanswered
    ] + [
        Seen(node.name, f"{line.component or 'calico-node'} log", line.text, line.at)
        for line in (node.control.log if node else ())
        if node and any(match.group(1) in lost for match in _DIALLED.finditer(line.text))
    ][:2]


CALICO_BUG_SERVICE_BLACKHOLE = Fault(
    id="calico_bug_service_blackhole",
    family="bird_confd",
    title="A blackhole route swallows addresses that are in use",
    severity="major",
    role="cause",
    means=(
        "To announce Services' addresses BIRD has a static blackhole route for each range, which is meant for its "
        "peers and must not get into the host's own table. Where it does (releases around 3.4, 3.5 and 3.15, "
        "filters of one's own, a range that is in use for something else) the host itself cannot reach those "
        "addresses: the API server's Service, say, while pods still can. For blocks of pods such routes are right."
    ),
    subjects=swallowed,
    signals=(
        Signal(route_swallows_what_is_used, STRONG + MODERATE, required=True),
        Signal(calls_to_it_get_no_answer, MODERATE),
    ),
    summary=lambda evidence, subject: (
        f"The kernel of {subject.nodes[0]} throws away what the host sends to {subject.about[0]}: a blackhole route "
        f"of BIRD's covers {subject.about[1][0][1]}."
    ),
    fix=Fix(
        action="remove_blackhole",
        text=(
            "Upgrade Calico, or take the range out of what BGPConfiguration advertises; correct a filter of your "
            "own that lets it into the kernel. Pools need blocks of more than one address: a blockSize of 32 (128) "
            "leaves none to pods. Deleting the route helps until BIRD writes it again."
        ),
        risk="low",
        disrupts="nothing; without the announcement routers lose the way to these Services",
        commands=lambda evidence, subject: [
            commands.on_node(subject.nodes[0], "ip route show type blackhole"),
            "kubectl get bgpconfigurations.crd.projectcalico.org default -o yaml | grep -A4 service",
            commands.on_node(
                subject.nodes[0],
                f"sudo ip route del blackhole {commands.word(subject.about[0], 'RANGE')}   # until BIRD writes it",
            ),
        ],
    ),
    verify="The host has no blackhole route but those of its own blocks of pods, and reaches the Services' addresses.",
    lookalikes=(
        Lookalike("bgpconfig_service_cidr_contains_pods", "the advertised range contains pods' addresses"),
        Lookalike("apiserver_unreachable", "no route of BIRD's covers the API server's address"),
    ),
    explains=("apiserver_unreachable", "typha_port_blocked", "undetermined"),
)

# --- MD5 --------------------------------------------------------------------------------------------------------------

REFUSED = "Kernel MD5 auth failed"


def refused_keys(evidence: Evidence) -> Iterator[Subject]:
    """Nodes whose kernel refuses the key of a BGP password."""
    for node in evidence.nodes.values():
        refused = [one for one in _troubled(node) if REFUSED in one.last_error]
        if refused or node.log_lines("md5_unsupported"):
            peers = {one.peer for one in refused}
            sessions = tuple(
                one
                for one in evidence.down_at(node.name)
                if not peers or {one.dialler.address, one.listener.address} & peers
            )
            yield Subject((node.name,), sessions, {"node": node.name, "peers": sorted(peers)[:8]}, node)


def _troubled(node: Node) -> list[Protocol]:
    return [one for daemon in node.daemons.values() for one in daemon.troubled.values()]


def bird_is_refused(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD shut the session down because the kernel does not take the password's key."""
    found = _troubled(subject.node) if subject.node else []
    return [
        Seen(subject.nodes[0], "bird", f"{one.name}: {one.last_error}") for one in found if REFUSED in one.last_error
    ][:4]


def kernel_gives_the_reason(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD's log says what the kernel has against the key."""
    lines = subject.node.log_lines("md5_unsupported") if subject.node else []
    return [Seen(subject.nodes[0], "bird log", line.text, line.at) for line in lines[:2]]


def _md5_summary(evidence: Evidence, subject: Subject) -> str:
    lines = subject.node.log_lines("md5_unsupported") if subject.node else []
    why = f" ({lines[0].value})" if lines and lines[0].value else ""
    return f"The kernel of {subject.nodes[0]} refuses the key of a BGP password{why}; BIRD has shut the session down."


MD5_KERNEL_LIMIT = Fault(
    id="md5_kernel_limit",
    family="bgp_config",
    title="The kernel refuses the BGP password",
    severity="critical",
    role="cause",
    means=(
        "TCP MD5 takes at most 80 bytes, the kernel must have it built in (CONFIG_TCP_MD5SIG), and one that runs in "
        "FIPS mode refuses MD5 altogether. BIRD then shuts the session down, and does not try again until it is "
        "configured anew."
    ),
    subjects=refused_keys,
    signals=(
        Signal(bird_is_refused, DECISIVE, required=True),
        Signal(kernel_gives_the_reason, STRONG, required=True),
    ),
    summary=_md5_summary,
    fix=Fix(
        action="change_bgp_password",
        text=(
            "Use a password of at most 80 bytes, the same at both ends. Where the kernel has no TCP MD5 or runs in "
            "FIPS mode use none, or another kernel."
        ),
        risk="low",
        disrupts="the sessions with that password, which begin anew",
        commands=lambda evidence, subject: [
            commands.on_node(
                subject.nodes[0], "grep TCP_MD5SIG /boot/config-$(uname -r); cat /proc/sys/crypto/fips_enabled"
            ),
            *passwords.count_bytes(evidence),
            agent_pod.run(evidence, subject.nodes[0], agent_pod.RELOAD),
        ],
    ),
    verify="No protocol has the error Kernel MD5 auth failed, and the sessions are Established.",
    prior=0.0,
    lookalikes=(
        Lookalike(
            "bgp_password_mismatch", "both kernels take their keys, and the listener counts signatures that do not fit"
        ),
        Lookalike("bgp_password_secret_unreadable", "confd has no password to render"),
    ),
    explains=("undetermined", "bgp_password_mismatch", "tcp179_blocked_network", "peer_bird_not_running"),
)

FAULTS = (CALICO_BUG_PASSIVE, CALICO_BUG_SERVICE_BLACKHOLE, MD5_KERNEL_LIMIT)
