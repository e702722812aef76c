# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence from Ansible's variables: which hosts told what, which told nothing and why."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from . import cluster, plain
from .age import age, why_refused
from .evidence import Evidence
from .facts import FACT_KEYS, read_node
from .model import MissingNode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from .model import Node

RESULT = "collect_result"
WHY_SHOWN = 200


def from_hostvars(hostvars: Mapping[str, Any], hosts: Sequence[str], now: datetime, max_age: int) -> Evidence:
    """The evidence of these hosts. Facts older than max_age seconds (from a fact cache) are refused.

    A host whose facts were collected in this run carries that task's result; another may have facts from a cache.
    Only the latter's age is looked at: the stamp is of the node's clock, which may be what is wrong with the node.
    """
    nodes: dict[str, Node] = {}
    missing: list[MissingNode] = []
    aliases: dict[str, str] = {}
    machines: dict[tuple[str, ...], str] = {}
    for host in hosts:
        variables = hostvars[host]
        facts = _facts(variables)
        why = _why_missing(variables, facts, now, max_age)
        address = _address(host, variables)
        if why:
            missing.append(MissingNode(host, why, address, _is_unreachable(variables)))
        else:
            node = read_node(host, facts, address)
            first = machines.setdefault(node.machine, host) if node.machine else host
            if first == host:
                nodes[host] = node
            else:
                aliases[host] = first
    told = cluster.from_variables(hostvars, hosts, now, max_age)
    return Evidence(nodes, tuple(missing), aliases, cluster.of_these_nodes(told, nodes.values()))


def _facts(variables: Mapping[str, Any]) -> dict[str, Any]:
    known = plain.mapping(variables.get("ansible_facts"))
    return {key: known.get(key, variables.get(key)) for key in FACT_KEYS}


def _why_missing(variables: Mapping[str, Any], facts: Mapping[str, Any], now: datetime, max_age: int) -> str:
    """Why a host counts as not read, or ''."""
    result = plain.mapping(variables.get(RESULT))
    if _is_unreachable(variables):
        return _short(f"unreachable: {plain.text(result.get('msg'))}")
    # One that failed before it ran may still carry facts of Ansible's own, such as the interpreter that it found.
    if result and not plain.mapping(result.get("ansible_facts")).keys() & set(FACT_KEYS):
        return _failure(result)
    about = plain.mapping(facts.get("calico_node"))
    if not about:
        return "it was not asked in this run, and no facts of it are in a cache"
    return "" if result else why_refused(age(plain.text(about.get("taken_at")), now), max_age, "its facts")


def _is_unreachable(variables: Mapping[str, Any]) -> bool:
    return bool(plain.mapping(variables.get(RESULT)).get("unreachable"))


def _failure(result: Mapping[str, Any]) -> str:
    """Why the module failed, in one sentence; a node without Python is the usual reason."""
    period = plain.text(plain.mapping(result.get("timedout")).get("period"))
    if period:
        return f"given up on after {period} s: it takes the connection, and then nothing comes"
    told = " ".join(plain.text(result.get(key)) for key in ("msg", "module_stderr", "module_stdout"))
    if (
        result.get("rc") == 127
        or "interpreter" in told.lower()
        or ("python" in told.lower() and "not found" in told.lower())
    ):
        return "no Python was found on it (Python 3.7 or later is needed there)"
    return _short(plain.text(result.get("msg")) or "the module failed")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WHY_SHOWN else f"{line[: WHY_SHOWN - 3]}..."


def _address(host: str, variables: Mapping[str, Any]) -> str:
    """The address under which the inventory knows a host, '' where it gives only a name."""
    return _plain_address(plain.text(variables.get("ansible_host"))) or _plain_address(host)


def _plain_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
