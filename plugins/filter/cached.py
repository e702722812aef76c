# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter cached: what a fact cache has of the hosts, and how old it is."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import cached as evidence
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import named_hosts

DOCUMENTATION = r"""
name: cached
short_description: Tell what a fact cache has of the nodes, and how old it is
version_added: 1.1.0
author: netmedic.calico contributors
description:
  - Tells of how many hosts the cache has facts, how old these are, and which of them
    P(netmedic.calico.classify#filter) will refuse with the same O(max_age).
  - The age is by the controller's clock where the playbook C(netmedic.calico.collect) has filled the cache.
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
  max_age:
    description: Facts older than this many seconds are refused.
    type: int
    default: 900
"""

EXAMPLES = r"""
- name: Fail if there is nothing to diagnose
  ansible.builtin.fail:
    msg: "{{ (hostvars | netmedic.calico.cached(ansible_play_hosts_all)).problem }}"
  run_once: true
  when: (hostvars | netmedic.calico.cached(ansible_play_hosts_all)).problem | length > 0
"""

RETURN = r"""
_value:
  description: Sentences for people (C(lines)), and why no diagnosis can be made of it (C(problem)), empty if one can.
  type: dict
"""


def cached(hostvars: Any, hosts: Any, max_age: Any = 900) -> dict[str, Any]:
    """What the cache has."""
    try:
        names = named_hosts.names(hostvars, hosts, "cached")
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error
    try:
        limit = int(max_age)
    except (TypeError, ValueError, OverflowError) as error:
        raise AnsibleFilterError(f"cached wants max_age as a number of seconds, not {max_age!r}") from error
    lines, problem = evidence.told(hostvars, names, datetime.now(timezone.utc), limit)
    return {"lines": lines, "problem": problem}


class FilterModule:
    """Filter registration."""

    def filters(self) -> dict[str, Any]:
        """The filters of this file."""
        return {"cached": cached}
