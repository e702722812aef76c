# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter working: the sessions and routes that work, by the facts of all nodes."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle.evidence import saw
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import named_hosts
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan import ledger

DOCUMENTATION = r"""
name: working
short_description: Tell which sessions and routes work
version_added: 1.0.0
author: netmedic.calico contributors
description:
  - Takes from the facts of all nodes the peers with an established session and the number of routes, by node and
    address family, small enough to be kept for a comparison by P(netmedic.calico.ledger#filter).
positional: hosts
options:
  _input:
    description: The variables of all hosts, usually C(hostvars).
    type: dict
    required: true
  hosts:
    description: The names of the hosts that make up the cluster.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Keep what works before the repair
  ansible.builtin.set_fact:
    before: "{{ hostvars | netmedic.calico.working(ansible_play_hosts_all) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: By node and address family C(peers), C(unusual) and C(routes).
  type: dict
"""


def working(hostvars: Any, hosts: Any) -> dict[str, Any]:
    """What works."""
    try:
        names = named_hosts.names(hostvars, hosts, "working")
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error
    return ledger.working({name: one.facts for name, one in saw(hostvars, names).items()})


class FilterModule:
    """Filter registration."""

    def filters(self) -> dict[str, Any]:
        """The filters of this file."""
        return {"working": working}
