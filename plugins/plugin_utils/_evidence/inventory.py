# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence from Ansible's variables: which hosts told what, which told nothing and why."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from . import cluster, ignored, kept, plain, refused
from .age import age, why_refused
from .evidence import Evidence
from .facts import FACT_KEYS, read_node
from .model import MissingNode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from .model import Node

RESULT = kept.RESULT
WHY_SHOWN = 200
_UNREACHABLE = "unreachable:"


def from_hostvars(hostvars: Mapping[str, Any], hosts: Sequence[str], now: datetime, max_age: int) -> Evidence:
    """The evidence of these hosts. Facts older than max_age seconds (from a fact cache) are refused.

    A host whose facts were collected in this run carries that task's result; another may have facts from a cache, and
    beside them a note of what came of reading it. Only the latter's age is looked at, by that note where there is one:
    the facts' stamp is of the node's clock, which may be what is wrong with the node.
    """
    nodes: dict[str, Node] = {}
    missing: list[MissingNode] = []
    aliases: dict[str, str] = {}
    machines: dict[tuple[str, ...], str] = {}
    told = cluster.from_variables(hostvars, hosts, now, max_age)
    others = ignored.ignored(hostvars, hosts, told)
    for host in (name for name in hosts if name not in others):
        variables = hostvars[host]
        facts = _facts(variables)
        why, unreachable = _why_missing(variables, facts, now, max_age)
        address = _address(host, variables)
        if why:
            missing.append(MissingNode(host, why, address, unreachable))
        else:
            node = read_node(host, facts, address)
            first = machines.setdefault(node.machine, host) if node.machine else host
            if first == host:
                nodes[host] = node
            else:
                aliases[host] = first
    known = cluster.of_these_nodes(told, nodes.values())
    return Evidence(nodes, tuple(missing), aliases, known, ignored=_passed_over(hostvars, others))


def _passed_over(hostvars: Mapping[str, Any], others: Mapping[str, str]) -> tuple[MissingNode, ...]:
    return tuple(MissingNode(name, why, _address(name, hostvars[name])) for name, why in others.items())


def _facts(variables: Mapping[str, Any]) -> dict[str, Any]:
    known = plain.mapping(variables.get("ansible_facts"))
    return {key: known.get(key, variables.get(key)) for key in FACT_KEYS}


def _why_missing(
    variables: Mapping[str, Any], facts: Mapping[str, Any], now: datetime, max_age: int
) -> tuple[str, bool]:
    """Why a host counts as not read, or '', and whether it could not be reached."""
    about = plain.mapping(facts.get("calico_node"))
    taken_at = kept.taken_at(variables)
    if not kept.asked_in_this_run(variables) and (about or taken_at):
        too_old = why_refused(age(taken_at, now), max_age, "its facts")
        if too_old:
            return too_old, False
    why, unreachable = why_not_read(variables)
    if not why and not about:
        why = "it was not asked in this run, and no facts of it are in a cache"
    return why, unreachable


def why_not_read(variables: Mapping[str, Any]) -> tuple[str, bool]:
    """Why asking a host came to nothing, or '' if it did not or was not asked, and whether it could not be reached."""
    result = kept.result_of(variables)
    if result.get("unreachable"):
        told = refused.without_prefix(plain.text(result.get("msg")))
        told = refused.privileges(result) or told
        told = told if told.startswith(_UNREACHABLE) else f"{_UNREACHABLE} {told}"
        return refused.behind_a_bastion(told, _short(told)), True
    # One that failed before it ran may still carry facts of Ansible's own, such as the interpreter that it found.
    if result and not plain.mapping(result.get("ansible_facts")).keys() & set(FACT_KEYS):
        return _failure(result), False
    return "", False


def _failure(result: Mapping[str, Any]) -> str:
    """Why the module failed, in one sentence; want of rights or of Python are the usual reasons."""
    why = refused.privileges(result)
    if why:
        return why
    period = kept.given_up_after(result)
    if period:
        return (
            f"given up on after {period} s: it takes the connection, and no answer came in that time "
            "(collect_node_timeout, in a preflight preflight_node_timeout)"
        )
    told = " ".join(plain.text(result.get(key)) for key in ("msg", "module_stderr", "module_stdout"))
    if (
        result.get("rc") == 127
        or "interpreter" in told.lower()
        or ("python" in told.lower() and "not found" in told.lower())
    ):
        return "no Python was found on it (Python 3.7 or later is needed there)"
    return _short(refused.without_prefix(plain.text(result.get("msg"))) or "the module failed")


def _short(text: str) -> str:
    return plain.cut(text, WHY_SHOWN)


def _address(host: str, variables: Mapping[str, Any]) -> str:
    """The address under which the inventory knows a host, '' where it gives only a name."""
    return _plain_address(plain.text(variables.get("ansible_host"))) or _plain_address(host)


def _plain_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
