# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter collected: what a later job is to know of this one's reading of a host."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import inventory, kept

DOCUMENTATION = r"""
name: collected
short_description: Tell what came of reading a host, for a fact cache
version_added: 1.1.0
author: netmedic.calico contributors
description:
  - Makes from what the role P(netmedic.calico.collect#role) registered the fact C(collect_note), which a fact cache
    keeps beside the facts of M(netmedic.calico.node_facts).
  - From it a diagnosis in a later job knows that a host was asked in vain, although the cache has older facts of it,
    and when it was asked by the controller's clock, as the node's may be wrong.
  - It holds no facts, and of a failure one sentence.
options:
  _input:
    description: The variables of one host, usually C(hostvars[inventory_hostname]).
    type: dict
    required: true
seealso:
  - plugin: netmedic.calico.classify
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Note for a later job what came of it
  ansible.builtin.set_fact:
    collect_note: "{{ hostvars[inventory_hostname] | netmedic.calico.collected }}"
    cacheable: true
"""

RETURN = r"""
_value:
  description: >-
    When the host was asked (C(at)), the stamp of the facts it is about (C(facts)), and what went wrong (C(result)).
  type: dict
"""


def collected(variables: Any) -> dict[str, Any]:
    """The fact to be kept."""
    if not isinstance(variables, Mapping):
        raise AnsibleFilterError("collected wants the variables of one host, such as hostvars[inventory_hostname]")
    if kept.RESULT not in variables:
        raise AnsibleFilterError(f"collected finds no {kept.RESULT}: this host was not read in this run")
    why, unreachable = inventory.why_not_read(variables)
    return kept.note(variables, why, unreachable, datetime.now(timezone.utc))


class FilterModule:
    """Filter registration."""

    def filters(self) -> dict[str, Any]:
        """The filters of this file."""
        return {"collected": collected}
