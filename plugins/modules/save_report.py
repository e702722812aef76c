#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin save_report."""

from __future__ import annotations

DOCUMENTATION = r"""
module: save_report
short_description: Write report.json on the controller
version_added: 1.0.0
author: netmedic.calico contributors (@netmedic)
description:
  - Writes a diagnosis as C(report.json) into a directory on the controller, whole or not at all, and makes the
    directory where it is not there.
options:
  report:
    description: The diagnosis, as P(netmedic.calico.classify#filter) returns it.
    type: dict
    required: true
  directory:
    description: The directory on the controller.
    type: path
    required: true
attributes:
  check_mode:
    description: Can run in check mode and tell what it would do, without writing.
    support: full
  diff_mode:
    description: The difference of two reports is not shown.
    support: none
seealso:
  - module: netmedic.calico.print_report
"""

EXAMPLES = r"""
- name: Keep the report
  netmedic.calico.save_report:
    report: "{{ bgp_report }}"
    directory: /var/lib/reports/calico
  run_once: true
"""

RETURN = r"""
path:
  description: The file.
  type: str
  returned: success
  sample: /var/lib/reports/calico/report.json
"""
