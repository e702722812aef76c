# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter gather_choice: whom the role must_gather reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import (
    cluster,
    ignored,
    inventory,
    named_hosts,
    plain,
)
from ansible_collections.netmedic.calico.plugins.plugin_utils._gather import choice

DOCUMENTATION = r"""
name: gather_choice
short_description: Choose the nodes that must_gather reads
version_added: 1.3.0
author: netmedic.calico contributors
description:
  - Chooses by a report the nodes whose outputs and logs are worth having. First those where something was found, then
    the ends of BGP sessions that are down, then those with pods that serve all others (Typha, the operator,
    kube-controllers), then the peers of the former.
  - Where nothing was found the first nodes are chosen, up to the limit.
positional: report, hosts
options:
  _input:
    description: The variables of all hosts, usually C(hostvars).
    type: dict
    required: true
  report:
    description: The report of the diagnosis (P(netmedic.calico.classify#filter)).
    type: dict
    required: true
  hosts:
    description: The names of the hosts to choose from.
    type: list
    elements: str
    required: true
  nodes:
    description: What is wanted. V(affected), V(all), names of hosts, or several of these.
    type: list
    elements: str
    default: [affected]
  max_nodes:
    description: How many are chosen at most of those that are affected and their peers.
    type: int
    default: 20
  max_mb:
    description: How large the archive may become, in MiB. Each node gets a share of it.
    type: int
    default: 100
"""

EXAMPLES = r"""
- name: Choose whom to read
  ansible.builtin.set_fact:
    must_gather_choice: "{{ hostvars | netmedic.calico.gather_choice(diagnose_report, ansible_play_hosts_all) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description:
    - C(nodes), the nodes to read, by name why, C(left_out), those over the limit, C(unreachable), those that a task
      could not reach a moment ago, and C(max_kb), the share of each in the archive.
  type: dict
"""


def gather_choice(
    hostvars: Any, report: Any, hosts: Any, nodes: Any = ("affected",), max_nodes: Any = 20, max_mb: Any = 100
) -> dict[str, Any]:
    """Whom to read, and why."""
    if not isinstance(hostvars, Mapping) or not isinstance(report, Mapping):
        raise AnsibleFilterError("gather_choice wants the variables of all hosts, such as hostvars, and a report")
    try:
        names = named_hosts.names(hostvars, hosts, "gather_choice")
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error
    results = {name: plain.mapping(hostvars[name].get(inventory.RESULT)) for name in names}
    serving = choice.serving(cluster.fact_of(hostvars, names), _nodenames(hostvars, names))
    others = ignored.ignored(hostvars, names)
    found = choice.choose(
        plain.mapping(report),
        [name for name in names if name not in others],
        [str(one) for one in plain.listed(nodes)],
        choice.Limits(int(max_nodes), int(max_mb)),
        [name for name, result in results.items() if result.get("unreachable")],
        serving,
    )
    return found._asdict()


def _nodenames(hostvars: Any, names: Any) -> dict[str, str]:
    """The hosts by the names of their Nodes."""
    found = {}
    for name in names:
        facts = plain.mapping(hostvars[name].get("ansible_facts"))
        node = plain.mapping(facts.get("calico_node", hostvars[name].get("calico_node")))
        found[plain.text(node.get("nodename")) or name] = name
    return found


class FilterModule:
    """Filter registration."""

    def filters(self) -> dict[str, Any]:
        """The filters of this file."""
        return {"gather_choice": gather_choice}
