# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter failure: whether a report is bad enough to fail the play."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis import failure as decision
from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import SCHEMA

DOCUMENTATION = r"""
name: failure
short_description: Tell whether a diagnosis should fail the play
version_added: 1.0.0
author: netmedic.calico contributors
description:
  - Returns the sentence with which the play should fail, or an empty string where it should not.
positional: fail_on
options:
  _input:
    description: The report of P(netmedic.calico.classify#filter).
    type: dict
    required: true
  fail_on:
    description:
      - The least severity of a finding that fails the play. With V(never) no finding does; that no node, or nothing
        about BGP, could be read is told all the same.
    type: str
    choices: [info, minor, major, critical, never]
    default: major
  incomplete:
    description: Fail also where nodes could not be read, or the evidence does not allow a statement.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Fail if the diagnosis is bad
  ansible.builtin.fail:
    msg: "{{ bgp_report | netmedic.calico.failure(fail_on='critical') }}"
  when: (bgp_report | netmedic.calico.failure(fail_on='critical')) != ''
"""

RETURN = r"""
_value:
  description: One sentence, empty where the play should not fail.
  type: str
"""


def failure(diagnosis: Any, fail_on: Any = "major", incomplete: Any = False) -> str:
    """Why the play should fail, or ''."""
    if not isinstance(diagnosis, dict) or diagnosis.get("schema") != SCHEMA:
        raise AnsibleFilterError(f"failure wants a diagnosis of schema {SCHEMA}, as the filter classify returns it")
    try:
        return decision.failure(diagnosis, str(fail_on), boolean(incomplete))
    except (ValueError, TypeError) as error:
        raise AnsibleFilterError(str(error)) from error
    except KeyError as error:
        raise AnsibleFilterError(f"failure wants a whole diagnosis; this one lacks {error}") from error


class FilterModule:
    """Filter registration."""

    def filters(self) -> dict[str, Any]:
        """The filters of this file."""
        return {"failure": failure}
