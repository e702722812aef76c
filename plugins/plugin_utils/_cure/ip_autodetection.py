# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which method Calico is to find the nodes' addresses: one that was tried on every node's real interfaces."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from .._address import methods
from .._catalogue import address_truth, api, words
from .._cluster import effective, owners
from .._evidence import plain
from . import api_facts, at_owner, rollout
from .model import Decision, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .._address.methods import Method
    from .._address.nodes import NodeAddresses
    from .._cluster.model import Cluster
    from .._evidence.evidence import Evidence
    from .model import Given

FAMILIES = ("ipv4", "ipv6")
DETECT = "autodetect"
_SWITCH = {"ipv4": "IP", "ipv6": "IP6"}
_SHOWN = 3


def changes(given: Given) -> Decision:
    """The method at its owner.

    Options: family, method ('' chosen). seen and expected: only say what is still to come (`waits`), by what the API
    told since. `more` has expected (what there is to wait for), gate (how many seconds it may take), ask (the
    API is to be asked first) and waits.
    """
    now = rollout.seen(given)
    if now is not None:
        return Decision(more={"waits": list(_waits(given, now))})
    why = api_facts.missing(given, "nodes", "daemonsets")
    if why:
        return Decision(refused=why, more={"ask": True, "expected": {}})
    decision = _decide(given)
    return decision._replace(
        more={"ask": False, "expected": {}, "gate": rollout.seconds(given.evidence.cluster), **decision.more}
    )


def _waits(given: Given, now: Cluster) -> Iterator[str]:
    expected = plain.mapping(given.options.get("expected"))
    yield from rollout.waits(now, given.evidence.cluster, plain.count(expected.get("generation")))
    wanted: dict[str, str] = plain.mapping(expected.get("addresses"))
    for name, address in wanted.items():
        known = now.calico_nodes.get(name)
        found = known.address("ipv6" if ":" in address else "ipv4") if known is not None else ""
        if found != address:
            yield f"{name} is registered with {found or 'no address'}, not with {address}"


def _decide(given: Given) -> Decision:
    evidence, cluster = given.evidence, given.evidence.cluster
    family = str(given.options.get("family") or "ipv4")
    if family not in FAMILIES:
        return refuse(f"{family!r} is no family of addresses; there are {' and '.join(FAMILIES)}")
    why = at_owner.unread(evidence)
    if why:
        return refuse(f"{why}, so that it is not known what a method would take there")
    if cluster is None:
        return refuse("the API was not asked")
    why = _not_detected(cluster, family)
    if why:
        return refuse(why)
    nodes = address_truth.all_addresses(evidence, family)
    why = _ambiguous(evidence, nodes)
    if why:
        return refuse(why)
    return _with_method(given, cluster, family, nodes)


def _not_detected(cluster: Cluster, family: str) -> str:
    """Why Calico does not look for addresses here at all, '' if it does."""
    agent = effective.agent(cluster)
    if effective.variable(cluster, agent, "CALICO_NETWORKING_BACKEND").value == "none":
        return "with the backend none Calico registers no addresses, so that no method matters"
    told = effective.variable(cluster, agent, _SWITCH[family])
    if told.value in ("", DETECT) and (family == "ipv4" or told.value):
        return ""
    if not told.known and family == "ipv4":
        return ""
    set_to = f"{_SWITCH[family]} is {told.value}" if told.value else f"{_SWITCH[family]} is not set"
    return f"calico-node is not told to look for its {family} address ({set_to} in {told.place or 'the DaemonSet'})"


def _ambiguous(evidence: Evidence, nodes: Sequence[NodeAddresses]) -> str:
    """Why it cannot be said which address is right on every node, '' if it can."""
    partly = [node.name for node in evidence.nodes.values() if not node.own.complete]
    if partly:
        return f"not all interfaces of {words.listed(partly)} could be read"
    unknown = [one for one in nodes if not one.truth]
    if unknown:
        return f"it is not known which address of {unknown[0].name} is the right one: {unknown[0].truth_why}"
    found: dict[str, str] = {}
    for one in nodes:
        other = found.setdefault(one.truth, one.name)
        if other != one.name:
            return f"{other} and {one.name} have the same address, {one.truth}"
    return next(filter(None, (_astray(one, nodes) for one in nodes)), "")


def _astray(node: NodeAddresses, nodes: Sequence[NodeAddresses]) -> str:
    """That nobody is in the subnet of what seems a node's right address, and others are in that of another one."""
    others = [ipaddress.ip_address(one.truth) for one in nodes if one is not node]
    near = {
        held.address: sum(other in ipaddress.ip_interface(f"{held.address}/{held.prefix}").network for other in others)
        for each in node.interfaces
        for held in each.addresses
        if not address_truth.is_odd(each.name) and held.address not in node.moving
    }
    better = max(near, key=lambda address: near[address], default="")
    if near.get(node.truth) or not near.get(better):
        return ""
    return (
        f"it is not clear which address of {node.name} is the right one: {node.truth} ({node.truth_why}), or {better}, "
        f"in whose subnet {words.plural(near[better], 'other node')} are"
    )


# --- the method ---


def _with_method(given: Given, cluster: Cluster, family: str, nodes: Sequence[NodeAddresses]) -> Decision:
    variable = api.DETECTION_VARIABLE[family]
    told = effective.variable(cluster, effective.agent(cluster), variable)
    current = methods.evaluate(told.value or "first-found", nodes)
    wish = str(given.options.get("method") or "")
    if wish:
        chosen: Method | None = methods.evaluate(wish, nodes)
        if chosen is not None and not chosen.fits:
            return refuse(f"{wish} is not right on every node: {_wrong(chosen, nodes)}")
    elif current.fits:
        chosen = current
    else:
        chosen = next(iter(methods.methods_that_fit(nodes)), None)
    if chosen is None:
        return refuse(
            f"no method takes the right address on every node; {current.method} does: {_wrong(current, nodes)}"
        )
    if chosen.method == current.method:
        return Decision(
            says=[f"{current.method} takes the right {family} address on every node.", *_late(given, nodes)]
        )
    return _changed(given, cluster, (family, chosen.method), (told.value, _moves(given.evidence, family, nodes)), nodes)


def _wrong(method: Method, nodes: Sequence[NodeAddresses]) -> str:
    """What a method does on the first nodes where it is not right."""
    right = {one.name: one.truth for one in nodes}
    said = [f"{name}: {pick.address or 'nothing'}, not {right[name]}" for name, pick in method.wrong.items()]
    said += [f"{name}: {why}" for name, why in method.undecided.items()]
    said += [f"{name}: {right[name]} moves from host to host" for name in method.takes_moving]
    return "; ".join(said[:_SHOWN]) + (f" (and {len(said) - _SHOWN} more)" if len(said) > _SHOWN else "")


def _registered(evidence: Evidence, family: str) -> dict[str, tuple[str, str]]:
    """By the inventory's name what a node is called on record, and its address there."""
    return {one.name: (one.record, one.address(family)) for one in evidence.registered}


def _moves(evidence: Evidence, family: str, nodes: Sequence[NodeAddresses]) -> list[str]:
    known = _registered(evidence, family)
    return [
        f"{one.name}: {known[one.name][1] or 'no address'} -> {one.truth} ({one.truth_why})"
        for one in nodes
        if one.name in known and known[one.name][1] != one.truth
    ]


def _late(given: Given, nodes: Sequence[NodeAddresses]) -> list[str]:
    family = str(given.options.get("family") or "ipv4")
    moves = _moves(given.evidence, family, nodes)
    wait = "Another address is on record until calico-node looks again, or is restarted (role rolling_restart):"
    return [wait, *moves] if moves else []


def _changed(
    given: Given, cluster: Cluster, chosen: tuple[str, str], now: tuple[str, list[str]], nodes: Sequence[NodeAddresses]
) -> Decision:
    """The change at the owner. now: the method that is set, and which nodes' addresses change."""
    family, method = chosen
    owner = owners.owner_of(cluster, f"autodetection_{family}")
    lines = api.set_detection(given.evidence, family, method)
    elsewhere = at_owner.foreign(owner, "the method of autodetection", lines)
    if elsewhere is not None:
        return elsewhere
    made = _changes(cluster, owner, family, method, now[0])
    if not made:
        return Decision(says=lines, refused="the setting was not found where it is kept; change it as the lines say")
    known = _registered(given.evidence, family)
    agent = effective.agent(cluster)
    says = [f"{api.DETECTION_VARIABLE[family]}: {now[0] or 'first-found'} -> {method}", *now[1]]
    if agent is not None and agent.strategy == rollout.ON_DELETE:
        says.append("The DaemonSet replaces pods only when they are deleted: restart them (role rolling_restart).")
        known = {}
    else:
        says.append("calico-node is restarted node by node; nodes whose address changes make their sessions anew.")
    addresses = {known[one.name][0]: one.truth for one in nodes if one.name in known}
    generation = rollout.after(cluster, by_operator=owner.kind == owners.INSTALLATION)
    return Decision(made, says, more={"expected": {"addresses": addresses, "generation": generation}})


def _changes(cluster: Cluster, owner: owners.Owner, family: str, method: str, now: str) -> list[dict[str, Any]]:
    agent = effective.agent(cluster)
    if owner.kind == owners.INSTALLATION:
        if at_owner.overlaid(cluster, "calicoNetwork", api.DETECTION[family]):
            return []
        spec = {"calicoNetwork": {api.DETECTION[family]: api.detection_field(method)}}
        return [at_owner.installation(cluster, patch={"spec": spec})]
    if owner.kind == owners.CONFIG_MAP:
        change = at_owner.config_map(owner, owner.path.removeprefix("data."), method, now or None)
        return [change, *filter(None, [at_owner.rolled(cluster, "autodetection", method)])]
    wanted = {api.DETECTION_VARIABLE[family]: method}
    told = effective.variable(cluster, agent, _SWITCH[family])
    if not told.value and told.known:
        # Without it calico-node looks for an address only if it has none on record.
        wanted[_SWITCH[family]] = DETECT
    return [*filter(None, [at_owner.variables(cluster, wanted)])]
