# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter classify: the facts of all nodes in, the report out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.wishes import as_wished, wishes_of
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle.evidence import saw
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import cluster, misspelt, plain
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.inventory import from_hostvars

DOCUMENTATION = r"""
name: classify
short_description: Find the causes of BGP faults in the facts of all nodes
version_added: 1.0.0
author: netmedic.calico contributors
description:
  - Joins what every node says about its sessions with what the other end says, weighs the causes of the fault catalogue
    against that evidence, and returns the report.
  - Reads the facts C(calico_bgp), C(calico_firewall), C(calico_mtu), C(calico_chrony) and C(calico_node) that
    M(netmedic.calico.node_facts) returns, taken in this run or from a fact cache.
  - Nothing is connected to and nothing is changed.
positional: hosts
options:
  _input:
    description: The variables of all hosts, usually C(hostvars).
    type: dict
    required: true
  hosts:
    description: The names of the hosts that make up the cluster, whether or not they could be read.
    type: list
    elements: str
    required: true
  max_age:
    description: Facts older than this many seconds are refused, and their host counts as not read.
    type: int
    default: 900
  checks:
    description:
      - Checks of your own. What one of them finds is a finding C(own:<id>) of the report.
      - An expression that gives anything but null, false, or something empty has found something.
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: Its name, of small letters, digits, C(_) and C(-).
        type: str
        required: true
      expression:
        description:
          - A JMESPath expression. In scope V(node) it is applied to the facts of each node, a mapping with the keys
            C(calico_bgp), C(calico_firewall), C(calico_mtu), C(calico_chrony) and C(calico_node).
          - In scope V(cluster) it is applied once, to C(nodes) (by name the facts of each) and C(cluster) (what
            M(netmedic.calico.cluster_info) returns as C(calico_cluster)).
        type: str
        required: true
      message:
        description: What it means, in a sentence.
        type: str
        required: true
      severity:
        description: How bad it is, V(info), V(minor), V(major) or V(critical).
        type: str
        default: minor
      scope:
        description: Whether each node is looked at, or all of them at once, V(node) or V(cluster).
        type: str
        default: node
  waivers:
    description:
      - Findings that are known and accepted for a time. They are told as waived, and do not make the play fail.
      - A finding is waived if there is a waiver for each of its nodes.
    type: list
    elements: dict
    default: []
    suboptions:
      fault:
        description: The finding's fault; may hold C(*).
        type: str
        required: true
      node:
        description: The node; may hold C(*).
        type: str
        required: true
      reason:
        description: Why it is accepted.
        type: str
        required: true
      expires:
        description: The last day on which it is, such as V(2027-01-31).
        type: str
        required: true
  earlier_reports:
    description:
      - A directory with earlier reports. The new one then tells what is new, gone, or comes and goes, and since when.
      - A report carries what the ones before it found, so that the last C(report.json) is enough.
    type: path
    default: ""
seealso:
  - module: netmedic.calico.node_facts
  - plugin: netmedic.calico.report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Find the causes
  ansible.builtin.set_fact:
    bgp_report: "{{ hostvars | netmedic.calico.classify(ansible_play_hosts_all) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description:
    - The report, schema C(netmedic.calico.report/v1).
    - C(verdict) is V(healthy), V(degraded), V(faulty) or V(undetermined); C(findings) lists the causes, best
      explanation first; C(coverage) tells which nodes and sources were read.
  type: dict
"""


def classify(
    hostvars: Any, hosts: Any, max_age: Any = 900, checks: Any = (), waivers: Any = (), earlier_reports: Any = ""
) -> dict[str, Any]:
    """The report on the hosts' facts."""
    names = _names(hostvars, hosts)
    try:
        limit = int(max_age)
    except (TypeError, ValueError, OverflowError) as error:
        raise AnsibleFilterError(f"classify wants max_age as a number of seconds, not {max_age!r}") from error
    try:
        wishes = wishes_of(checks, waivers, earlier_reports)
    except ValueError as error:
        raise AnsibleFilterError(f"{error}.") from error
    # All hosts have what is said for all, and on the command line.
    for sentence in misspelt.warnings(hostvars[names[0]]):
        Display().warning(sentence)
    now = datetime.now(timezone.utc)
    report = analyse(from_hostvars(hostvars, names, now, limit), now)
    return as_wished(report, wishes, lambda: (_facts(hostvars, names), cluster.fact_of(hostvars, names)), now)


def _names(hostvars: Any, hosts: Any) -> list[str]:
    """The hosts' names, once it is sure that they are names of hosts."""
    if not isinstance(hostvars, Mapping):
        raise AnsibleFilterError("classify wants the variables of all hosts, such as hostvars")
    names = plain.listed(hosts)
    if not isinstance(names, (list, tuple)):
        raise AnsibleFilterError(f"classify wants the names of the cluster's hosts as a list, not {hosts!r}")
    if not any(names):
        raise AnsibleFilterError("classify wants the names of the cluster's hosts, and there are none")
    unknown = [str(name) for name in names if name not in hostvars]
    if unknown:
        raise AnsibleFilterError(f"classify finds no host of the inventory that is called {', '.join(unknown)}")
    return [str(name) for name in names]


def _facts(hostvars: Any, names: list[str]) -> dict[str, Any]:
    """The facts of each host that told any."""
    return {name: one.facts for name, one in saw(hostvars, names).items() if one.facts}


class FilterModule:
    """Filter registration."""

    def filters(self) -> dict[str, Any]:
        """The filters of this file."""
        return {"classify": classify}
