# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a node's BIRD a restart cures, by which rung of the ladder, and which sessions are to be there afterwards.

The rungs, from the one that disturbs least: BIRD reads its configuration (or takes up a protocol that was switched
off); one protocol is restarted; BIRD's process is replaced, killed so that its peers keep its routes (graceful
restart); the pod is replaced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .._catalogue import agent_pod, bgp_ports, bird_confd, clock_offsets, cni_token, words
from .._catalogue.model import Subject
from .._evidence import plain
from .._evidence.evidence import verdict_on
from .._evidence.facts import read_node

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from .._evidence.evidence import Evidence
    from .._evidence.model import Daemon, Node

RELOAD, PROTOCOL, BIRD, POD = RUNGS = ("reload", "protocol", "bird", "pod")
_PROGRAMS = {"ipv4": "bird", "ipv6": "bird6"}


class Need(NamedTuple):
    """Why something of a node is to be restarted: the least rung that can cure it, a sentence, and the family."""

    rung: str
    why: str
    family: str = "ipv4"
    # What BIRD is to be told where that is enough.
    command: Mapping[str, str] = {}


def needs(evidence: Evidence, node: Node) -> list[Need]:
    """What calls for a restart of something on a node, the least disturbing first."""
    only = [Need(BIRD, "BIRD does not run") for one in bird_confd.nodes_without_bird(evidence) if one.node is node]
    for family, daemon in node.daemons.items():
        only += _of_daemon(node, family, daemon)
    only += [
        Need(BIRD, f"BIRD listens on port {port}, and its configuration says {daemon.config.listen_port}", one)
        for one, daemon in node.daemons.items()
        for found, port in bgp_ports.listens_elsewhere(node)
        if found is daemon and daemon.socket_state == "answers"
    ]
    only += [Need(POD, why) for why in (_older_image(evidence, node), _old_token(evidence, node)) if why]
    return sorted(only, key=lambda one: RUNGS.index(one.rung))


def _of_daemon(node: Node, family: str, daemon: Daemon) -> Iterator[Need]:
    if daemon.running and daemon.socket_state == "no_answer":
        yield Need(BIRD, f"{_PROGRAMS[family]} (process {daemon.pid}) hangs", family)
    if daemon.socket_state != "answers":
        return
    unread = bird_confd.is_unloaded(daemon)
    if unread:
        yield Need(RELOAD, "BIRD does not run the configuration that is on disk", family, {"command": "configure"})
    lacking = [one for one in daemon.troubled.values() if "No listening socket" in one.last_error]
    if lacking and not bird_confd.strangers(node) and not unread:
        yield Need(RELOAD, "BIRD has no listening socket, and the port is free", family, {"command": "configure"})
    for one in daemon.troubled.values():
        # BIRD says nothing of why only where somebody told it to (birdc disable).
        if one.state == "down" and not one.last_error and not one.disabled and one.name:
            command = {"command": "enable", "protocol": one.name}
            yield Need(RELOAD, f"{one.name} was switched off by hand", family, command)


def _older_image(evidence: Evidence, node: Node) -> str:
    """The pod has another image than its DaemonSet, which leaves it to others to replace pods (OnDelete)."""
    pod = pod_of(evidence, node.name)
    if pod is None or evidence.cluster is None:
        return ""
    for agent in evidence.cluster.node_agents:
        if agent.strategy != "OnDelete" or agent.namespace != pod.namespace or pod.owner != f"DaemonSet/{agent.name}":
            continue
        wanted = {one.name: one.image for one in agent.containers if not one.init}
        for one in pod.containers:
            if not one.init and one.image and wanted.get(one.name, one.image) != one.image:
                return (
                    f"its pod runs {one.image}, and the DaemonSet, which replaces no pod by itself, {wanted[one.name]}"
                )
    return ""


def _old_token(evidence: Evidence, node: Node) -> str:
    """The CNI plugin's token is past its end, and a new container would write another one."""
    here = Subject((node.name,), node=node)
    if not cni_token.token_is_past(node) or cni_token.nobody_renews_it(evidence, here):
        return ""
    return "" if clock_offsets.clock_is_off_there(evidence, here) else "the CNI plugin's token is past its end"


def pod_of(evidence: Evidence, name: str) -> Any:
    """The pod of calico-node on a node as the API told it, None if there is not just one."""
    return agent_pod.pod_of(evidence, name)


def expected(evidence: Evidence, node: Node) -> list[str]:
    """The peers with whom the node is to have sessions afterwards: those that it has, but for what its configuration on
    disk has no more; and other nodes that know it, unless something else keeps the session down."""
    found: set[str] = set()
    for family, daemon in node.daemons.items():
        gone = {_address(name, family) for name in daemon.config.only_running}
        found |= {peer for peer in daemon.established if peer not in gone}
        found |= set(_known_by(evidence, node, family, daemon)) - gone
    return sorted(found)


def _address(name: str, family: str) -> str:
    return name.partition("_")[2].replace("_", "." if family == "ipv4" else ":")


def _known_by(evidence: Evidence, node: Node, family: str, daemon: Daemon) -> Iterator[str]:
    """The other nodes whose BIRD answers and wants a session with this one."""
    own = node.bgp_addresses.get(family, "") or daemon.config.local_address
    for other in evidence.nodes.values():
        theirs = other.daemons.get(family)
        address = other.bgp_addresses.get(family, "")
        if other is node or theirs is None or theirs.socket_state != "answers" or not own or not address:
            continue
        protocol, mine = theirs.troubled.get(own), daemon.troubled.get(address)
        wants = protocol is not None and not protocol.disabled and protocol.state != "down"
        refuses = mine is not None and mine.disabled
        stopped = refuses or _stopped(node, address) or _stopped(other, own)
        if own in theirs.established or (wants and not stopped):
            yield address


def _stopped(node: Node, peer: str) -> bool:
    """The node's filters stop BGP with the peer, or may."""
    ways = ("inbound", "outbound", "answers_sent", "answers_received")
    told = [verdict_on(node, way, peer) for way in ways]
    return any(one is not None and one.verdict != "accept" for one in told)


def missing(bgp: Mapping[str, Any], wanted: Sequence[str], replaced: Mapping[str, Any] | None = None) -> list[str]:
    """What a node that tells this of its BIRD lacks of what is to be there, in words; [] if it is as it should be.

    A BIRD that was started anew keeps the routes that it finds until it has heard all peers. Before that the next node
    must not be touched: it may be the one whose routes are still to come. replaced: when the processes started, by
    family, that are to be there no more.
    """
    node = read_node("", {"calico_bgp": dict(bgp)})
    if not node.daemons:
        return ["it tells nothing of BIRD"]
    lacks = []
    up: set[str] = set()
    for family, daemon in node.daemons.items():
        if daemon.socket_state != "answers":
            lacks.append(f"{_PROGRAMS[family]} does not {'run' if daemon.running is False else 'answer'}")
        up |= set(daemon.established)
        absent = daemon.total - len(daemon.established) if daemon.total is not None else 0
        raw = plain.mapping(plain.mapping(bgp["daemons"])[family])
        told = plain.mapping(raw.get("graceful_restart"))
        if raw.get("start_ticks") is not None and raw.get("start_ticks") == (replaced or {}).get(family):
            lacks.append(f"the {_PROGRAMS[family]} of before still runs")
        if plain.count(told.get("waiting_for")) > absent:
            lacks.append(f"{_PROGRAMS[family]} has not heard all of its peers' routes yet")
    down = [peer for peer in wanted if peer not in up]
    if down:
        lacks.append(f"no session with {words.listed(down)}")
    return lacks


def processes(facts: Mapping[str, Any]) -> dict[str, int]:
    """When the BIRDs of a host started, by family, in clock ticks."""
    told = plain.mapping(plain.mapping(facts.get("calico_bgp")).get("daemons"))
    started = {family: plain.integer(plain.mapping(daemon).get("start_ticks")) for family, daemon in told.items()}
    return {family: ticks for family, ticks in started.items() if ticks is not None}


def sees(bgp: Mapping[str, Any], addresses: Sequence[str]) -> bool:
    """A peer has its sessions with a node's addresses again, and the node has told it all of its routes."""
    daemons = plain.mapping(bgp.get("daemons"))
    node = read_node("", {"calico_bgp": dict(bgp)})
    up = {peer for daemon in node.daemons.values() for peer in daemon.established}
    unsettled = {
        one.get("peer")
        for daemon in daemons.values()
        for one in plain.mappings(plain.mapping(daemon).get("troubled"))
        if one.get("restarting")
    }
    return all(address in up and address not in unsettled for address in addresses)
