# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From Ansible's variables to what the checks of preflight look at."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .._evidence import ignored, plain
from . import addresses
from .model import Host, Scene

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

# What the role registers.
LISTENED, PROBED, TOLD = "preflight_listened", "preflight_probed", "preflight_told"
FACT = "calico_preflight"
# As _evidence has them, which takes long to import and which the steps before the report do without.
_FACTS = ("calico_node", "calico_bgp", "calico_firewall", "calico_mtu", "calico_chrony")
_CONTROLLER, _OF_COLLECT = "localhost", "collect_result"
_CLUSTER_FACT, _CLUSTER_RESULT = "calico_cluster", "collect_cluster_result"
_ANY_AGE = 1 << 40


def hosts(hostvars: Mapping[str, Any], names: Sequence[str], planned: Mapping[str, Any]) -> dict[str, Host]:
    """What the hosts told, without why others did not. ValueError, with a sentence, for plans that cannot be."""
    return {name: _host(name, _variables(hostvars[name]), planned) for name in names}


def scene(hostvars: Mapping[str, Any], names: Sequence[str], planned: Mapping[str, Any], now: datetime) -> Scene:
    """What was seen of these hosts. ValueError, with a sentence, for plans that cannot be."""
    from .._evidence.inventory import from_hostvars
    from . import intent

    variables = {name: _variables(hostvars[name]) for name in names}
    everyone = dict(variables)
    if _CONTROLLER in hostvars and _CONTROLLER not in everyone:
        everyone[_CONTROLLER] = _variables(hostvars[_CONTROLLER])
    evidence = from_hostvars(everyone, names, now, _ANY_AGE)
    others = {one.name for one in evidence.ignored}
    found = {name: _host(name, own, planned) for name, own in variables.items() if name not in others}
    for lost in evidence.missing:
        found[lost.name] = replace(found[lost.name], why=lost.why, unreachable=lost.unreachable, facts={})
    return Scene(found, evidence, intent.load(planned), now)


def _host(name: str, own: Mapping[str, Any], planned: Mapping[str, Any]) -> Host:
    known = own["ansible_facts"]
    facts = {key: known[key] for key in _FACTS if key in known}
    return Host(
        name=name,
        addresses=addresses.of_host(name, own, facts, planned.get("addresses")),
        facts=facts,
        listened=plain.mapping(plain.mapping(own[_OF_COLLECT].get("ansible_facts")).get(FACT)),
        probed=plain.mapping(own[PROBED]),
        told=plain.mapping(own[TOLD]),
    )


def _variables(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Of a host's variables those that are read, as the diagnosis has them."""
    known = plain.mapping(variables.get("ansible_facts"))
    facts = {key: known.get(key, variables.get(key)) for key in (*_FACTS, _CLUSTER_FACT)}
    found = {
        "ansible_facts": {key: value for key, value in facts.items() if value},
        **{key: variables.get(key) for key in ("ansible_host", *ignored.VARIABLES)},
        _OF_COLLECT: plain.mapping(variables.get(LISTENED)),
        PROBED: variables.get(PROBED),
        TOLD: variables.get(TOLD),
    }
    if _CLUSTER_RESULT in variables:
        found[_CLUSTER_RESULT] = variables[_CLUSTER_RESULT]
    return found
