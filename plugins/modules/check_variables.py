#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin check_variables."""

from __future__ import annotations

DOCUMENTATION = r"""
module: check_variables
short_description: Tell what is wrong with the variables of this collection's roles
version_added: 1.2.0
author: netmedic.calico contributors (@netmedic)
description:
  - Checks the variables that are set against what the roles say of them, and fails with one sentence for each
    mistake. It names the variable, its value and what is allowed.
  - With the role report among them, sees also that reports can be written into C(report_dir); nothing is left there.
  - Runs on the controller only.
extends_documentation_fragment: netmedic.calico.harmless
options:
  roles:
    description: The roles' names, without that of the collection.
    type: list
    elements: str
    required: true
seealso:
  - module: ansible.builtin.validate_argument_spec
"""

EXAMPLES = r"""
- name: Check the variables before any work
  netmedic.calico.check_variables:
    roles: [collect, diagnose, report]
  run_once: true
"""

RETURN = r""" # """
