# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter classify: the facts of all nodes in, the report out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
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


def classify(hostvars: Any, hosts: Any, max_age: Any = 900) -> dict[str, Any]:
    """The report on the hosts' facts."""
    if not isinstance(hostvars, Mapping):
        raise AnsibleFilterError("classify wants the variables of all hosts, such as hostvars")
    # As a variable on the command line (-e diagnose_nodes=node-1,node-2) a list arrives as text.
    names = [name.strip() for name in hosts.split(",")] if isinstance(hosts, str) else hosts
    if not isinstance(names, (list, tuple)):
        raise AnsibleFilterError(f"classify wants the names of the cluster's hosts as a list, not {hosts!r}")
    if not any(names):
        raise AnsibleFilterError("classify wants the names of the cluster's hosts, and there are none")
    unknown = [str(name) for name in names if name not in hostvars]
    if unknown:
        raise AnsibleFilterError(f"classify finds no host of the inventory that is called {', '.join(unknown)}")
    try:
        limit = int(max_age)
    except (TypeError, ValueError, OverflowError) as error:
        raise AnsibleFilterError(f"classify wants max_age as a number of seconds, not {max_age!r}") from error
    now = datetime.now(timezone.utc)
    return analyse(from_hostvars(hostvars, [str(name) for name in names], now, limit), now)


class FilterModule:
    """Filter registration."""

    def filters(self) -> dict[str, Any]:
        """The filters of this file."""
        return {"classify": classify}
