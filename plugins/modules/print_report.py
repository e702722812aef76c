#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin print_report."""

from __future__ import annotations

DOCUMENTATION = r"""
module: print_report
short_description: Print lines on the controller as they are
version_added: 1.0.0
author: netmedic.calico contributors (@netmedic)
description:
  - Prints lines of text on the controller, without the quotes and commas that M(ansible.builtin.debug) puts around
    a list.
extends_documentation_fragment: netmedic.calico.harmless
options:
  lines:
    description: The lines, for example those of P(netmedic.calico.report#filter).
    type: list
    elements: str
    required: true
seealso:
  - module: netmedic.calico.node_facts
"""

EXAMPLES = r"""
- name: Show the report
  netmedic.calico.print_report:
    lines: "{{ bgp_report | netmedic.calico.report }}"
"""

RETURN = r""" # """
