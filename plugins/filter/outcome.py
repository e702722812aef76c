# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter outcome: what came of a plan that was carried out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.netmedic.calico.plugins.plugin_utils._plan import ledger as books
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan import model
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan import outcome as decision

DOCUMENTATION = r"""
name: outcome
short_description: Tell what came of a plan of repairs
version_added: 1.2.0
author: netmedic.calico contributors
description:
  - Tells whether all steps of a plan were taken, nothing is worse than before, and what was to be repaired is repaired.
positional: ledger
options:
  _input:
    description: The plan of P(netmedic.calico.plan#filter).
    type: dict
    required: true
  ledger:
    description: The comparison of P(netmedic.calico.ledger#filter).
    type: dict
    required: true
  taken:
    description: How many of the plan's C(turns) were taken to their end.
    type: int
    required: true
  broken:
    description: Of the turn that failed C(why), empty if none did.
    type: dict
    default: {}
  run:
    description: The run's folder, for the command that undoes it.
    type: str
    default: ""
seealso:
  - plugin: netmedic.calico.plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Fail if it is not as it should be
  ansible.builtin.fail:
    msg: "{{ (bgp_plan | netmedic.calico.outcome(bgp_ledger, taken=3)).failed }}"
  when: not (bgp_plan | netmedic.calico.outcome(bgp_ledger, taken=3)).good
"""

RETURN = r"""
_value:
  description:
    - C(good) says whether all is as it should be. C(pending) says whether what is not may yet come to be. C(failed) is
      what to tell where it is not, with what was done, what was not, and how all of it is undone.
  type: dict
"""


def outcome(plan: Any, ledger: Any, taken: Any, broken: Any = None, run: Any = "") -> dict[str, Any]:
    """What came of the plan."""
    if not isinstance(plan, Mapping) or plan.get("schema") != model.SCHEMA:
        raise AnsibleFilterError(f"outcome wants a plan of schema {model.SCHEMA}, as the filter plan returns it")
    if not isinstance(ledger, Mapping) or ledger.get("schema") != books.SCHEMA:
        raise AnsibleFilterError(f"outcome wants a ledger of schema {books.SCHEMA}, as the filter ledger returns it")
    return decision.outcome(plan, ledger, int(taken), broken if isinstance(broken, Mapping) else {}, str(run))


class FilterModule:
    """Filter registration."""

    def filters(self) -> dict[str, Any]:
        """The filters of this file."""
        return {"outcome": outcome}
