# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter report: a report as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleFilterError

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import SCHEMA
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan import ledger, model
from ansible_collections.netmedic.calico.plugins.plugin_utils._render.plans import ledger_lines, plan_lines
from ansible_collections.netmedic.calico.plugins.plugin_utils._render.terminal import WIDTH, lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DOCUMENTATION = r"""
name: report
short_description: Render a diagnosis for people
version_added: 1.0.0
author: netmedic.calico contributors
description:
  - Renders the report of P(netmedic.calico.classify#filter) as lines of text, in the order coverage, verdict, findings
    (what, where, seen, means, fix, risk), what could not be checked.
  - Renders the plan of P(netmedic.calico.plan#filter) and the ledger of P(netmedic.calico.ledger#filter), too.
positional: width
options:
  _input:
    description: The report, plan or ledger.
    type: dict
    required: true
  width:
    description: The greatest width of a line. Commands are never broken and may be longer.
    type: int
    default: 80
"""

EXAMPLES = r"""
- name: Show the report
  netmedic.calico.print_report:
    lines: "{{ bgp_report | netmedic.calico.report }}"
"""

RETURN = r"""
_value:
  description: The lines, without colours.
  type: list
  elements: str
"""


NARROWEST = 40
_LINES: dict[str, Callable[[Mapping[str, Any], int], list[str]]] = {
    SCHEMA: lines,
    model.SCHEMA: plan_lines,
    ledger.SCHEMA: ledger_lines,
}


def report(diagnosis: Any, width: Any = WIDTH) -> list[str]:
    """The report, plan or ledger as lines."""
    if not isinstance(diagnosis, dict) or diagnosis.get("schema") not in _LINES:
        raise AnsibleFilterError(f"report wants a diagnosis of schema {SCHEMA}, as the filter classify returns it")
    try:
        columns = max(int(width), NARROWEST)
    except (TypeError, ValueError) as error:
        raise AnsibleFilterError(f"report wants width as a number of columns, not {width!r}") from error
    try:
        return _LINES[diagnosis["schema"]](diagnosis, columns)
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(f"report wants a whole diagnosis; this one is incomplete: {error}") from error


class FilterModule:
    """Filter registration."""

    def filters(self) -> dict[str, Any]:
        """The filters of this file."""
        return {"report": report}
