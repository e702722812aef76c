# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes are restarted in which order, and what is done on one of them at one rung of the ladder.

Asked at five stages: `plan` for the whole, `step` for one node and one rung, `settled` for what the node tells
afterwards, `peers` for what one of its peers tells, `heard` for what all of those told that were asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._catalogue import words
from .._evidence import plain
from . import restart_guards, restart_needs
from .model import Decision, refuse
from .restart_needs import BIRD, POD, PROTOCOL, RELOAD, RUNGS, Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node
    from .model import Given

    Change = dict[str, Any]

# So many peers are looked at after each node, reflectors first: a session is up at both ends or at none.
PEERS = 5
_PROGRAMS = {"ipv4": "bird", "ipv6": "bird6"}


def changes(given: Given) -> Decision:
    """What is to be done at a stage; see above. Options: those of the role without its name, and those of the stage."""
    first, last = _ladder(given)
    stage = given.options.get("stage", "plan")
    if stage == "settled":
        return _settled(given)
    if stage == "peers":
        seen = restart_needs.sees(plain.mapping(given.options.get("bgp")), plain.texts(given.options.get("addresses")))
        return Decision() if seen else refuse("it has no session with the node yet")
    if stage == "heard":
        return _heard(given)
    if stage == "step":
        return _step(given, first, last)
    return _plan(given, first, last)


def _ladder(given: Given) -> tuple[int, int]:
    """The first and the last rung that are allowed, as numbers. Raises ValueError."""
    found = []
    for name, default in (("from", RELOAD), ("to", BIRD)):
        rung = given.options.get(name) or default
        if rung not in RUNGS:
            raise ValueError(f"rolling_restart_{name} knows {', '.join(RUNGS)}, not {rung}")
        found.append(RUNGS.index(rung))
    if found[0] > found[1]:
        raise ValueError(
            f"rolling_restart_from={RUNGS[found[0]]} comes after rolling_restart_to={RUNGS[found[1]]}; the rungs are "
            f"{', '.join(RUNGS)}"
        )
    return found[0], found[1]


# The whole


def _plan(given: Given, first: int, last: int) -> Decision:
    evidence, options = given.evidence, given.options
    at_once = plain.integer(options.get("max_unavailable"))
    if at_once is None or at_once < 1:
        raise ValueError(
            f"rolling_restart_max_unavailable is a number from 1 on, not {options.get('max_unavailable')!r}"
        )
    asked = list(plain.texts(options.get("nodes")))
    unknown = [name for name in asked if name not in given.hosts]
    if unknown:
        why = f"rolling_restart_nodes names {words.listed(unknown)}, which the inventory does not have"
        return Decision(refused=why, more={"waves": [], "api": True})  # nothing the API could tell would change that
    force = bool(options.get("force"))
    says, chosen, refused = [], [], []
    for name in asked or list(evidence.nodes):
        node = evidence.nodes.get(evidence.aliases.get(name, name))
        if node is None:
            says.append(f"{name}: nothing is done, for it told nothing ({given.missing.get(name, 'it was not asked')})")
            continue
        why, obstacle = _concerned(evidence, node, first, last, force=force)
        if obstacle:
            refused.append(f"{name}: {obstacle}")
        elif why:
            chosen.append(node)
            says.append(f"{name}: {why}")
    waves = _waves(evidence, chosen, at_once)
    more = {
        "waves": waves,
        "sessions": {node.name: restart_needs.expected(evidence, node) for node in chosen},
        "addresses": {node.name: sorted(filter(None, node.bgp_addresses.values())) for node in chosen},
        "peers": {node.name: _peers(evidence, node, chosen) for node in chosen},
        "api": evidence.cluster is not None and evidence.cluster.reached,
    }
    stop = "" if chosen or not refused else "; ".join(refused)
    return Decision(says=[*says, *(refused if chosen else [])], refused=stop, more=more)


def _concerned(evidence: Evidence, node: Node, first: int, last: int, *, force: bool) -> tuple[str, str]:
    """Why the node is restarted ('' if it is not), and what forbids that."""
    if node.bird_expected is False:
        return "", ""
    found = [one for one in restart_needs.needs(evidence, node) if RUNGS.index(one.rung) <= last]
    if not found and not force:
        return "", ""
    start = max(first, min((RUNGS.index(one.rung) for one in found), default=first))
    why = "; ".join(dict.fromkeys(one.why for one in found)) or "it is restarted because it was asked for"
    return why, _why_not(evidence, node, start, last)


def _why_not(evidence: Evidence, node: Node, start: int, last: int) -> str:
    """What forbids the first rung to be taken, where no later one may be taken in its place."""
    if start <= RUNGS.index(PROTOCOL):
        return ""
    of_bird = restart_guards.of_bird(evidence, node) if start == RUNGS.index(BIRD) else "no"
    if not of_bird:
        return ""
    of_pod = restart_guards.of_pod(evidence, node) if last == RUNGS.index(POD) else of_bird
    return of_pod and (of_pod if start == RUNGS.index(POD) else of_bird)


def _waves(evidence: Evidence, chosen: Sequence[Node], at_once: int) -> list[list[str]]:
    """One failure domain after the other, so many nodes at once; reflectors last and each alone. The first is alone,
    too: what goes wrong there goes wrong once."""
    reflectors = [node.name for node in chosen if restart_guards.is_reflector(evidence, node.name)]
    domains: dict[str, list[str]] = {}
    for node in chosen:
        if node.name not in reflectors:
            domains.setdefault(restart_guards.domain(evidence, node.name), []).append(node.name)
    waves: list[list[str]] = []
    for name in sorted(domains):
        members = domains[name]
        if not waves:
            waves.append([members.pop(0)])
        waves += [members[place : place + at_once] for place in range(0, len(members), at_once)]
    return waves + [[name] for name in reflectors]


def _peers(evidence: Evidence, node: Node, chosen: Sequence[Node]) -> list[str]:
    """The hosts that are asked whether they have their session with the node again."""
    wanted = restart_needs.expected(evidence, node)
    known = dict.fromkeys(owner.name for peer in wanted if (owner := evidence.owners.get(peer)) is not None)
    busy = {one.name for one in chosen}
    order = sorted(known, key=lambda name: (not restart_guards.is_reflector(evidence, name), name in busy))
    return [name for name in order if name != node.name][:PEERS]


# One node


class _Here(NamedTuple):
    """A node at a rung: what calls for it, the sessions that it is to have, and whether it is restarted only because
    somebody asked for it."""

    given: Given
    node: Node
    found: Sequence[Need]
    wanted: Sequence[str]
    asked: bool


def _step(given: Given, first: int, last: int) -> Decision:
    node = given.evidence.nodes.get(given.evidence.aliases.get(given.host, given.host))
    rung = str(given.options.get("rung"))
    taken = list(plain.texts(given.options.get("taken")))
    here = RUNGS.index(rung)
    # In check mode nothing is cured by what was shown before.
    if node is None or not first <= here <= last or (taken and given.options.get("check")):
        return Decision()
    found = [one for one in restart_needs.needs(given.evidence, node) if RUNGS.index(one.rung) <= here]
    wanted = plain.texts(given.options.get("sessions"))
    lacks = restart_needs.missing(plain.mapping(given.own.get("calico_bgp")), wanted) if taken else []
    asked = bool(given.options.get("force")) and not taken and here == first
    if not found and not lacks and not asked:
        return Decision()
    makers = {RELOAD: _reload, PROTOCOL: _protocols, BIRD: _birds, POD: _pod}
    made = list(makers[rung](_Here(given, node, found, wanted, asked)))
    done = [one for one in made if not isinstance(one, str)]
    reasons = "; ".join(dict.fromkeys([one.why for one in found] + lacks))
    says = [f"{given.host}: {one}" for one in made if isinstance(one, str)]
    if done:
        says.append(f"{given.host}: {_WORDS[rung]}{f' ({reasons})' if reasons else ''}")
    return Decision(
        done, says, more={"replaced": restart_needs.processes(given.own) if rung in (BIRD, POD) and done else {}}
    )


_WORDS = {
    RELOAD: "BIRD is told to take up what it left out",
    PROTOCOL: "single protocols of BIRD are restarted",
    BIRD: "BIRD is started anew",
    POD: "the pod of calico-node is replaced",
}


def _reload(here: _Here) -> Iterator[Change | str]:
    commands = [{"kind": "bird", "family": one.family, **one.command} for one in here.found if one.command]
    if here.asked:
        commands += [
            {"kind": "bird", "family": family, "command": "configure"}
            for family, daemon in here.node.daemons.items()
            if daemon.socket_state == "answers"
        ]
    yield from (one for number, one in enumerate(commands) if one not in commands[:number])


def _protocols(here: _Here) -> Iterator[Change | str]:
    """Only those that are down: to restart others withdraws their routes at once."""
    for family, daemon in here.node.daemons.items():
        if daemon.socket_state != "answers":
            continue
        for peer, protocol in sorted(daemon.troubled.items()):
            if peer in here.wanted and protocol.name and not protocol.disabled:
                yield {"kind": "bird", "family": family, "command": "restart", "protocol": protocol.name}


def _birds(here: _Here) -> Iterator[Change | str]:
    why = restart_guards.of_bird(here.given.evidence, here.node)
    if why:
        yield f"BIRD is not started anew, for {why}"
        return
    told = plain.mapping(plain.mapping(here.given.own.get("calico_bgp")).get("daemons"))
    for family in sorted(_families(here, told)):
        daemon = plain.mapping(told.get(family))
        pid, ticks = plain.integer(daemon.get("pid")), plain.integer(daemon.get("start_ticks"))
        if not daemon.get("running"):
            yield {"kind": "calico_service", "service": _PROGRAMS[family], "run": "started"}
        elif pid is not None and ticks is not None:
            # Killed it says no farewell, so that its peers keep its routes (RFC 4724).
            yield {"kind": "signal", "pid": pid, "started": ticks, "signal": "KILL"}
        else:
            yield f"the process of {_PROGRAMS[family]} could not be told for certain"


def _families(here: _Here, told: Mapping[str, Any]) -> set[str]:
    """The families whose BIRD is concerned: all where it is only asked for, else those that lack something."""
    if here.asked:
        return set(told)
    lacking = {
        family
        for family, daemon in here.node.daemons.items()
        if daemon.running is False
        or any((":" in peer) == (family == "ipv6") and peer not in daemon.established for peer in here.wanted)
    }
    return {one.family for one in here.found} | lacking


def _pod(here: _Here) -> Iterator[Change | str]:
    why = restart_guards.of_pod(here.given.evidence, here.node)
    pod = restart_needs.pod_of(here.given.evidence, here.node.name)
    if why or pod is None:
        yield f"its pod is not replaced, for {why}"
        return
    yield {"action": "restart_pod", "namespace": pod.namespace, "name": pod.name, "uid": pod.uid}


def _settled(given: Given) -> Decision:
    bgp = plain.mapping(given.options.get("bgp")) or plain.mapping(given.own.get("calico_bgp"))
    replaced = plain.mapping(given.options.get("replaced"))
    lacks = restart_needs.missing(bgp, plain.texts(given.options.get("sessions")), replaced)
    if not lacks or given.options.get("check"):
        return Decision()
    return refuse(
        f"{given.host} is not as it was before: {'; '.join(lacks)}. Nothing else is restarted. Its peers keep its "
        "routes for 2 minutes after BIRD was last there; see its log and netmedic.calico.diagnose for why."
    )


def _heard(given: Given) -> Decision:
    """Whether all peers that were asked have their session with the node."""
    addresses = plain.texts(given.options.get("addresses"))
    without = [
        plain.text(one.get("rolling_restart_peer"))
        for one in plain.mappings(given.options.get("heard"))
        if (bgp := plain.mapping(plain.mapping(one.get("ansible_facts")).get("calico_bgp")))
        and not restart_needs.sees(bgp, addresses)
    ]
    if not without:
        return Decision()
    return refuse(f"{words.listed(without)} still has no session with {given.host}. Nothing else is restarted.")
