# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter cure: the facts of all nodes in, what a role is to change on one of them out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.netmedic.calico.plugins.plugin_utils._cure import given
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure.roles import ROLES

DOCUMENTATION = r"""
name: cure
short_description: Decide what a role that repairs is to change
version_added: 1.0.0
author: netmedic.calico contributors
description:
  - Tells from the facts of all hosts, and from what the API told, what a role of this collection is to change, as
    M(netmedic.calico.host_change) and M(netmedic.calico.object_change) take it.
  - Nothing is connected to and nothing is changed.
positional: role
options:
  _input:
    description: The variables of all hosts, usually C(hostvars).
    type: dict
    required: true
  role:
    description: The role, without the collection's name.
    type: str
    required: true
  host:
    description: The host that is to be changed. Empty for what is changed through the API.
    type: str
    default: ""
  hosts:
    description: The names of the hosts that make up the cluster.
    type: list
    elements: str
    required: true
  options:
    description: The role's own options.
    type: dict
    default: {}
  max_age:
    description: Facts older than this many seconds, from a fact cache, count as none.
    type: int
    default: 900
seealso:
  - module: netmedic.calico.host_change
  - module: netmedic.calico.object_change
"""

EXAMPLES = r"""
- name: Decide which rules are missing
  ansible.builtin.set_fact:
    decision: >-
      {{ hostvars | netmedic.calico.cure('bgp_firewall', host=inventory_hostname, hosts=ansible_play_hosts_all) }}
"""

RETURN = r"""
_value:
  description:
    - C(changes) for the module that makes them, C(says) in lines for a person, C(refused) the sentence that says why
      nothing may be changed (empty where it may), and C(expect) the BGP peers whose sessions are to come up.
  type: dict
"""


def cure(
    hostvars: Any, role: Any, host: Any = "", hosts: Any = (), options: Any = None, max_age: Any = 900
) -> dict[str, Any]:
    """What a role is to change, as a dictionary."""
    if role not in ROLES:
        raise AnsibleFilterError(f"cure knows no role {role!r}; it has {', '.join(sorted(ROLES))}")
    names = [name.strip() for name in hosts.split(",")] if isinstance(hosts, str) else hosts
    if not isinstance(hostvars, Mapping) or not isinstance(names, (list, tuple)) or not any(names):
        raise AnsibleFilterError("cure wants the variables of all hosts, such as hostvars, and the hosts' names")
    unknown = [str(name) for name in (*names, *([host] if host else [])) if name not in hostvars]
    if unknown:
        raise AnsibleFilterError(f"cure finds no host of the inventory that is called {', '.join(unknown)}")
    if not isinstance(options or {}, Mapping):
        raise AnsibleFilterError(f"cure wants options as a dictionary, not {options!r}")
    try:
        limit = int(max_age)
    except (TypeError, ValueError, OverflowError) as error:
        raise AnsibleFilterError(f"cure wants max_age as a number of seconds, not {max_age!r}") from error
    now = datetime.now(timezone.utc)
    try:
        told = given.read(hostvars, str(host), tuple(str(name) for name in names), dict(options or {}), now, limit)
        return {**ROLES[role](told).as_dict(), "unread": sorted(told.missing)}
    except ValueError as error:
        raise AnsibleFilterError(f"{role}: {error}") from error


class FilterModule:
    """Filter registration."""

    def filters(self) -> dict[str, Any]:
        """The filters of this file."""
        return {"cure": cure}
