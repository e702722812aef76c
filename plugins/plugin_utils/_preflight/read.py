# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From Ansible's variables to what the checks of preflight look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._evidence import plain
from .._evidence.cluster import CONTROLLER
from .._evidence.cluster import FACT as CLUSTER_FACT
from .._evidence.cluster import RESULT as CLUSTER_RESULT
from .._evidence.facts import FACT_KEYS
from .._evidence.inventory import RESULT, from_hostvars
from . import addresses
from .model import Host, Scene

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

# What the role registers.
LISTENED, PROBED, TOLD = "preflight_listened", "preflight_probed", "preflight_told"
FACT = "calico_preflight"
_ANY_AGE = 1 << 40


def scene(hostvars: Mapping[str, Any], names: Sequence[str], planned: Mapping[str, Any], now: datetime) -> Scene:
    """What was seen of these hosts. ValueError, with a sentence, for plans that cannot be."""
    variables = {name: _variables(hostvars[name]) for name in names}
    everyone = dict(variables)
    if CONTROLLER in hostvars and CONTROLLER not in everyone:
        everyone[CONTROLLER] = _variables(hostvars[CONTROLLER])
    evidence = from_hostvars(everyone, names, now, _ANY_AGE)
    missing = {one.name: one for one in evidence.missing}
    hosts = {}
    for name in names:
        own = variables[name]
        lost = missing.get(name)
        facts = {} if lost else {key: own["ansible_facts"][key] for key in FACT_KEYS if own["ansible_facts"].get(key)}
        hosts[name] = Host(
            name=name,
            why=lost.why if lost else "",
            unreachable=bool(lost and lost.unreachable),
            addresses=addresses.of_host(name, own, facts, planned.get("addresses")),
            facts=facts,
            listened=plain.mapping(plain.mapping(own[RESULT].get("ansible_facts")).get(FACT)),
            probed=plain.mapping(own[PROBED]),
            told=plain.mapping(own[TOLD]),
        )
    return Scene(hosts, evidence, planned, now)


def _variables(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Of a host's variables those that are read, as the diagnosis has them."""
    known = plain.mapping(variables.get("ansible_facts"))
    facts = {key: known.get(key, variables.get(key)) for key in (*FACT_KEYS, CLUSTER_FACT)}
    found = {
        "ansible_facts": {key: value for key, value in facts.items() if value},
        "ansible_host": variables.get("ansible_host"),
        RESULT: plain.mapping(variables.get(LISTENED)),
        PROBED: variables.get(PROBED),
        TOLD: variables.get(TOLD),
    }
    if CLUSTER_RESULT in variables:
        found[CLUSTER_RESULT] = variables[CLUSTER_RESULT]
    return found
