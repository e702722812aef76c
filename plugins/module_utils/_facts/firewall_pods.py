# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this node's packet filters do with pods' packets: between pods and the ways to other nodes, and between pods and
the host itself.

Evaluated are a few pods of this node for all of them, with a port that no rule is likely to name. What Calico's own
rules stop is meant to be stopped, by a policy, and is told apart from what others stop.
"""

from __future__ import annotations

from .._firewall import evaluate, model, packets, read
from .._host.pod_routes import TUNNELS, WORKLOAD, Pod, Pods
from .._record import NamedTuple
from . import firewall_invalid
from . import firewall_shapes as shapes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Dict

    from .._firewall.decisions import Decision
    from .._firewall.read import Rulesets
    from .._host.links import Network

    Facts = Dict[str, Any]

_EPHEMERAL = (32768, 60999)
_PORT_OF_POD = 29999
_PORT_OF_HOST = 10250  # kubelet's own
_ANSWER: dict[str, Any] = {"state": "ESTABLISHED", "direction": "REPLY", "tcp_flags": 0x12}
_MOST_NAMED = 4
_MOST_RULES = 3
# Felix' chains of single endpoints, policies and profiles: what they stop is for those who wrote the policy.
_OF_POLICIES = ("cali-fw-", "cali-tw-", "cali-pi-", "cali-po-", "cali-pri-", "cali-pro-", "cali-wl-to-host")


class _Class(NamedTuple):
    """Packets of one kind of way. `opening` are those of new connections, one for each pod; `answers` are the answers
    to these, which go the other way and meet the chains of `back`."""

    name: str
    hooks: Sequence[str]
    opening: list[model.Packet]
    back: Sequence[str]
    answers: list[model.Packet]


class _Stopped(NamedTuple):
    """A decision that is no acceptance, about packets of one class, or about answers to those that are accepted."""

    name: str
    is_answer: bool
    decision: Decision


def verdicts(
    found: Rulesets, network: Network, pods_of: Callable[[str], Pods], local_addresses: Mapping[str, str]
) -> Facts:
    """Return calico_firewall.pods, and invalid_dropped beside it; nothing where there is no trace of pods. `pods_of`
    gives the pods of a family, `local_addresses` are this node's own."""
    seen: list[str] = []
    stopped: dict[str, list[Facts]] = {"not_accepted": [], "by_calico": [], "felix_rules": []}
    troubled: set[str] = set()
    invalid: list[Facts] = []
    for family in read.FAMILIES:
        pods = pods_of(family)
        own = model.address_number(local_addresses.get(family, "") or _host_address(network, family))
        if own is None or not (pods.here or pods.elsewhere):
            continue
        here = pods.here or [Pod(_workload(network), None)]
        classes = _classes(family, Pods(here, pods.elsewhere), own[1])
        seen += [one.name for one in classes if one.name not in seen]
        device = network.interface_of(local_addresses.get(family, ""))
        unfit = firewall_invalid.packets(family, Pods(here, pods.elsewhere), own[1], device)
        stops, decided = _family(found, family, classes, here, unfit)
        invalid += firewall_invalid.dropped(decided, family)
        for key, entries in stops.items():
            stopped[key] += entries
            troubled.update(name for entry in entries for name in entry["ways"])
        if not pods.here:
            # Felix knows no interface of that name.
            stopped["felix_rules"] = []
    if not seen:
        return {}
    facts: Facts = {"accepted": [name for name in seen if name not in troubled]}
    facts.update((key, entries) for key, entries in stopped.items() if entries)
    return dict({"pods": facts}, **({"invalid_dropped": invalid} if invalid else {}))


def _host_address(network: Network, family: str) -> str:
    """Return the first address of the host's own, where nothing tells by which others know it."""
    held = [entry for entry in network.addresses if entry.family == family and entry.scope == "global"]
    return next((entry.address for entry in held if not entry.interface.startswith((WORKLOAD, *TUNNELS))), "")


def _workload(network: Network) -> str:
    """Return the name of a pod's interface, a made-up one if there is no pod."""
    names = [link.name for link in network.links.values() if link.name.startswith(WORKLOAD)]
    return names[0] if names else f"{WORKLOAD}00000000000"


def _classes(family: str, pods: Pods, own: int) -> list[_Class]:
    def way(name: str, ends: Sequence[tuple[_End, _End]], hooks: Sequence[str], back: Sequence[str], port: int) -> None:
        opening = [_packet(family, *pair)._replace(destination_port=port) for pair in ends]
        answers = [
            _packet(family, *reversed(pair))._replace(source_port=port, destination_port=_EPHEMERAL, **_ANSWER)
            for pair in ends
        ]
        found.append(_Class(name, hooks, opening, back, answers))

    found: list[_Class] = []
    host = _End("", own)
    ends = [_End(pod.interface, pod.address) for pod in pods.here]
    way("pods to host", [(end, host) for end in ends], model.INBOUND, model.OUTBOUND, _PORT_OF_HOST)
    way("host to pods", [(host, end) for end in ends], model.OUTBOUND, model.INBOUND, _PORT_OF_POD)
    for device, address in pods.elsewhere.items():
        far = _End(device, address)
        through = (model.FORWARDED, model.FORWARDED, _PORT_OF_POD)
        way(f"pods to {device}", [(end, far) for end in ends], *through)
        way(f"{device} to pods", [(far, end) for end in ends], *through)
    if len(ends) > 1:
        pairs = [(end, ends[number - 1]) for number, end in enumerate(ends)]
        way("pods to pods", pairs, model.FORWARDED, model.FORWARDED, _PORT_OF_POD)
    return found


class _End(NamedTuple):
    """An end of a connection: the interface behind which it is ('' for the host itself) and its address."""

    interface: str
    address: int | None


def _packet(family: str, source: _End, destination: _End) -> model.Packet:
    from_host, to_host = not source.interface, not destination.interface
    return model.Packet(
        family,
        source.interface,
        destination.interface,
        source.address,
        destination.address,
        source_port=_EPHEMERAL,
        source_type="LOCAL" if from_host else "UNICAST",
        # The host's address is one of the underlay's and none of the pods' interfaces.
        source_type_here="UNICAST",
        destination_type="LOCAL" if to_host else "UNICAST",
        destination_type_here="UNICAST",
    )


def _family(
    found: Rulesets,
    family: str,
    classes: Sequence[_Class],
    here: Sequence[Pod],
    unfit: Sequence[tuple[str, Sequence[str], list[model.Packet]]],
) -> tuple[dict[str, list[Facts]], list[tuple[str, list[Decision]]]]:
    """Return what is stopped of one family's packets, apart by whose rules stop it; and what is decided of the
    `unfit`, by their way."""
    count = len(classes)
    asked = [(one.hooks, one.opening) for one in classes] + [(one.back, one.answers) for one in classes]
    decided = _decided(found, family, [*asked, *((hooks, tried) for _way, hooks, tried in unfit)])
    opened, answered = decided[:count], decided[count : 2 * count]
    stopped = []
    for one, opening, answers in zip(classes, opened, answered):
        passing = 0
        for decision in opening:
            passing |= decision.members if decision.verdict == model.ACCEPT else 0
            stopped += [_Stopped(one.name, False, decision)] if decision.verdict != model.ACCEPT else []
        for decision in answers:
            members = decision.members & passing
            if decision.verdict != model.ACCEPT and members:
                stopped.append(_Stopped(one.name, True, decision._replace(members=members)))
    named = [(way, one) for (way, _hooks, _tried), one in zip(unfit, decided[2 * count :])]
    return _entries(stopped, family, here), named


def _decided(
    found: Rulesets, family: str, asked: Sequence[tuple[Sequence[str], list[model.Packet]]]
) -> list[list[Decision]]:
    """Return the decisions about each group of packets; those of the same hooks walk together."""
    answers: list[list[Decision]] = [[] for _group in asked]
    for hooks in dict.fromkeys(tuple(hooks) for hooks, _tried in asked):
        groups = [number for number, (own, _tried) in enumerate(asked) if tuple(own) == hooks]
        tried = [packet for number in groups for packet in asked[number][1]]
        if not tried:
            continue
        result = evaluate.evaluate(found.of_family(family, hooks), packets.Batch(tried, found.find_set))
        first = 0
        for number in groups:
            count = len(asked[number][1])
            for decision in result.decisions:
                members = decision.members >> first & (1 << count) - 1
                if members:
                    answers[number].append(decision._replace(members=members))
            first += count
    return answers


def _entries(stopped: Sequence[_Stopped], family: str, here: Sequence[Pod]) -> dict[str, list[Facts]]:
    """Return one entry for each verdict, deciding rule and group of pods, with all ways that it stops."""
    groups: dict[tuple[Any, ...], tuple[_Stopped, list[str]]] = {}
    for one in stopped:
        place = one.decision.place
        rule = (id(place.base), id(place.chain), id(place.rule)) if place is not None else ()
        key = (one.is_answer, one.decision.verdict, one.decision.detail, one.decision.members, rule)
        groups.setdefault(key, (one, []))[1].append(one.name)
    found: dict[str, list[Facts]] = {"not_accepted": [], "by_calico": []}
    for one, names in groups.values():
        entry = _entry(one, names, family, here)
        rule = entry.get("rule", {})
        found["by_calico" if rule.get("owner") == "calico" else "not_accepted"].append(entry)
    # A policy may have a rule for each pod: which of them it is matters to nobody here.
    calico = [
        {"ways": list(dict.fromkeys(name for entry in found["by_calico"] for name in entry["ways"])), "family": family}
    ]
    own = [entry for entry in found["by_calico"] if not is_policy(entry["rule"]["chain"])]
    return dict(found, by_calico=calico if found["by_calico"] else [], felix_rules=own[:_MOST_RULES])


def is_policy(chain: str) -> bool:
    """Say whether a chain of Felix' holds policies: with nftables its chains begin with the name of the table."""
    return chain.startswith((*_OF_POLICIES, *(f"filter-{name}" for name in _OF_POLICIES)))


def _entry(one: _Stopped, names: list[str], family: str, here: Sequence[Pod]) -> Facts:
    decision = one.decision
    entry: Facts = {"ways": list(dict.fromkeys(names)), "verdict": decision.verdict, "family": family}
    if one.is_answer:
        entry["answers"] = True
    members = [pod for number, pod in enumerate(here) if decision.members >> number & 1]
    if len(members) < len(here):
        entry["interfaces"] = [pod.interface for pod in members[:_MOST_NAMED]]
    if decision.place is not None:
        entry["rule"] = shapes.rule_facts(decision.place, family)
    if decision.detail:
        entry["with" if decision.verdict == model.REJECT else "why_unknown"] = decision.detail[: shapes.TEXT_LIMIT]
    return entry
