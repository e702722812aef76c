# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ledger: what works before and after a repair, compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import SCHEMA
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan import ledger as books

DOCUMENTATION = r"""
name: ledger
short_description: Compare what works before and after a repair
version_added: 1.0.0
author: netmedic.calico contributors
description:
  - Tells which sessions and routes were lost or gained between two diagnoses, and which findings are gone, left or new.
  - What works is what P(netmedic.calico.working#filter) says at each of the two moments.
positional: after, diagnosed, proven
options:
  _input:
    description: What worked before.
    type: dict
    required: true
  after:
    description: What works now.
    type: dict
    required: true
  diagnosed:
    description: The report of before.
    type: dict
    required: true
  proven:
    description: The report of now.
    type: dict
    required: true
seealso:
  - plugin: netmedic.calico.working
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Say what the repair was worth
  netmedic.calico.print_report:
    lines: "{{ before | netmedic.calico.ledger(after, first_report, second_report) | netmedic.calico.report }}"
"""

RETURN = r"""
_value:
  description:
    - C(sessions) and C(routes) before and after, C(findings) that are C(gone), C(left) and C(new). C(worse) holds a
      sentence for each thing that is worse than before, and is empty where nothing is.
  type: dict
"""


def ledger(before: Any, after: Any, diagnosed: Any, proven: Any) -> dict[str, Any]:
    """The comparison."""
    for name, value in (("what worked before", before), ("what works now", after)):
        if not isinstance(value, Mapping):
            raise AnsibleFilterError(f"ledger wants {name} as the filter working returns it")
    for value in (diagnosed, proven):
        if not isinstance(value, dict) or value.get("schema") != SCHEMA:
            raise AnsibleFilterError(
                f"ledger wants two diagnoses of schema {SCHEMA}, as the filter classify returns them"
            )
    return books.ledger(before, after, diagnosed, proven)


class FilterModule:
    """Filter registration."""

    def filters(self) -> dict[str, Any]:
        """The filters of this file."""
        return {"ledger": ledger}
