# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a run's variables to a bundle, and from a bundle to evidence: the same evidence as the run had."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .._cluster import from_bundle
from .._evidence import ignored, kept, observations, plain
from .._evidence.cluster import CONTROLLER, FACT
from .._evidence.cluster import RESULT as API_RESULT
from .._evidence.facts import FACT_KEYS
from .._evidence.inventory import RESULT, from_hostvars
from .._peering import real_addresses
from .._texts import node as texts_of_a_node
from . import event_lines, strangers, tried_by_hand
from .read import json_object
from .write import CLUSTER, CLUSTER_INFO, NodeSaw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._evidence.evidence import Evidence
    from .read import Bundle, NodeTexts

_STAMP = "%Y-%m-%dT%H:%M:%SZ"
_KEPT = ("unreachable", "failed", "msg", "rc")
_LONGEST = 1000
# A bundle is looked at as of the moment when it was written. How old it is then is no matter.
_ANY_AGE = 1 << 40


def saw(hostvars: Mapping[str, Any], hosts: Iterable[str]) -> dict[str, NodeSaw]:
    """Return what a run saw of each host that it did not ignore, from the variables of all hosts."""
    found = {}
    names = list(hosts)
    others = ignored.ignored(hostvars, names)
    for host in (name for name in names if name not in others):
        variables = hostvars[host]
        known = plain.mapping(variables.get("ansible_facts"))
        result = kept.result_of(variables)
        missing = bool(result) and (result.get("unreachable") or "ansible_facts" not in result)
        facts = {key: known.get(key, variables.get(key)) for key in FACT_KEYS}
        found[host] = NodeSaw(
            {} if missing else {key: value for key, value in facts.items() if isinstance(value, dict)},
            {str(name): text for name, text in plain.mapping(result.get("texts")).items() if isinstance(text, str)},
            plain.text(variables.get("ansible_host")),
            _kept(result) if missing else {},
        )
    return found


def evidence(bundle: Bundle) -> tuple[Evidence, datetime]:
    """Return what a bundle tells, as the run that wrote it had it, and the moment as of which it is to be read."""
    facts = {name: facts_of(name, told) for name, told in bundle.nodes.items()}
    told_by_api = cluster_of(bundle)
    if not bundle.written_at:
        facts = event_lines.add(facts, told_by_api, bundle.cluster)
    now = _moment(bundle.written_at) or max(
        filter(
            None, (_moment(plain.text(plain.mapping(one.get("calico_node")).get("taken_at"))) for one in facts.values())
        ),
        default=datetime.now(timezone.utc),
    )
    hostvars: dict[str, dict[str, Any]] = {
        name: {
            "ansible_facts": known,
            **({"ansible_host": told.address} if (told := bundle.nodes.get(name)) and told.address else {}),
            **({RESULT: told.result} if told and told.result else {}),
        }
        for name, known in facts.items()
    }
    names = list(hostvars)
    if told_by_api:
        controller = hostvars.setdefault(CONTROLLER, {})
        controller["ansible_facts"] = {**controller.get("ansible_facts", {}), FACT: told_by_api}
        controller[API_RESULT] = {}
    found = from_hostvars(hostvars, names, now, _ANY_AGE)
    if not bundle.written_at:
        others = strangers.passers_by(found)
        if others:
            found = from_hostvars(hostvars, [name for name in names if name not in others], now, _ANY_AGE)
    found = replace(found, real=real_addresses.read(bundle.redaction))
    by_hand = tried_by_hand.observations(bundle.tried, {**bundle.loose, **bundle.cluster}, found)
    return observations.with_what_was_tried(found, observations.read(bundle.environment) + by_hand), now


def cluster_of(bundle: Bundle) -> dict[str, Any]:
    """Return the fact calico_cluster of a bundle: the objects, and what a run wrote beside them; {} without any."""
    info = json_object(bundle.cluster.get(f"{CLUSTER}/{CLUSTER_INFO}", ""))
    texts = {path: text for path, text in bundle.cluster.items() if not path.endswith(f"/{CLUSTER_INFO}")}
    if not info and not texts and not bundle.environment.strip():
        return {}
    fact = from_bundle.fact(texts, bundle.environment)
    return {**fact, **info, "objects": fact["objects"]} if info.get("schema") == fact["schema"] else fact


def facts_of(name: str, told: NodeTexts) -> dict[str, Any]:
    """Return a node's facts: as they came, or else from its texts; {} if there is nothing of either."""
    if told.facts:
        known = plain.mapping(told.facts.get("ansible_facts")) or told.facts
        return {key: known[key] for key in FACT_KEYS if key in known}
    if told.result or not told.texts:
        return {}
    return texts_of_a_node.facts(told.texts, name)


def _kept(result: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: result[key] for key in _KEPT if isinstance(result.get(key), (str, int, bool))}
    return {key: str(value)[:_LONGEST] if isinstance(value, str) else value for key, value in kept.items()}


def _moment(stamp: str) -> datetime | None:
    try:
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=timezone.utc)
    except ValueError:
        return None
