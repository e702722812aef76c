# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter worse: what worked before and does not work now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import plain
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan import regained

DOCUMENTATION = r"""
name: worse
short_description: Tell which sessions and routes worked before and do not now
version_added: 1.0.0
author: netmedic.calico contributors
description:
  - Compares what P(netmedic.calico.working#filter) said with facts that have been read since.
positional: results, registered, renumbered
options:
  _input:
    description: What worked before.
    type: dict
    required: true
  results:
    description:
      - By host, what a task with M(netmedic.calico.bgp_facts) or M(netmedic.calico.node_facts) has returned since.
      - Hosts that are not in here, or whose task was skipped, are not compared. One whose task failed counts as lost.
      - With O(registered), the variables of the hosts, such as C(hostvars).
    type: dict
    required: true
  registered:
    description: The name of the variable in which a task's result was registered on the hosts. Those without are not
      compared.
    type: str
  renumbered:
    description:
      - Nodes may have got other addresses meanwhile, so that it is the number of a node's sessions that counts, not
        with whom they are.
    type: bool
    default: false
seealso:
  - plugin: netmedic.calico.ledger
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Wait until everything works that worked before
  netmedic.calico.bgp_facts:
  register: result
  until: "before | netmedic.calico.worse({inventory_hostname: result}) | length == 0"
  retries: 20
  delay: 3
"""

RETURN = r"""
_value:
  description: A sentence for each thing that is worse than before.
  type: list
  elements: str
"""


def worse(before: Any, results: Any, registered: Any = None, renumbered: Any = False) -> list[str]:
    """What is worse."""
    if not isinstance(before, Mapping):
        raise AnsibleFilterError("worse wants what worked before as the filter working returns it")
    if not isinstance(results, Mapping):
        raise AnsibleFilterError("worse wants the results of a task by host, as a dictionary")
    if registered:
        results = {host: results[host][registered] for host in before if registered in results.get(host, {})}
    read = {str(host): plain.mapping(one) for host, one in results.items()}
    facts = {host: plain.mapping(one.get("ansible_facts")) for host, one in read.items() if not one.get("skipped")}
    return regained.worse(before, facts, renumbered=bool(renumbered))


class FilterModule:
    """Filter registration."""

    def filters(self) -> dict[str, Any]:
        """The filters of this file."""
        return {"worse": worse}
