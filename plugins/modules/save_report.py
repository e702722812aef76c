#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin save_report."""

from __future__ import annotations

DOCUMENTATION = r"""
module: save_report
short_description: Write a report on the controller, for people, pipelines and monitoring
version_added: 1.0.0
author: netmedic.calico contributors (@netmedic)
description:
  - Writes a diagnosis into a directory on the controller, each file whole or not at all, and makes the directory where
    it is not there.
  - See the page of the docs on reports for what stands in which file.
options:
  report:
    description: The diagnosis, as P(netmedic.calico.classify#filter) returns it.
    type: dict
    required: true
  directory:
    description: The directory on the controller.
    type: path
    required: true
  formats:
    description:
      - The forms in which it is written.
      - V(json) is C(report.json), which all others are made of, and which the next diagnosis is compared with.
      - V(text) is C(report.txt), what P(netmedic.calico.report#filter) prints.
      - V(html) is C(report.html), one page that needs no network, no other file and no JavaScript.
      - V(markdown) is C(report.md), for tickets, shorter than 60,000 characters.
      - V(junit) is C(report.junit.xml), for pipelines, with a test case for each node.
      - V(sarif) is C(report.sarif.json), for code scanning, with the lines of files where a bundle was analysed.
      - V(metrics) is C(report.prom), a textfile for node_exporter.
    type: list
    elements: str
    choices: [json, text, html, markdown, junit, sarif, metrics]
    default: [json]
    version_added: 1.1.0
  fail_on:
    description: The least severity of a finding that fails a test case of V(junit). With V(never) none does.
    type: str
    choices: [info, minor, major, critical, never]
    default: major
    version_added: 1.1.0
  incomplete:
    description: Whether nodes that were not read are an error of V(junit)'s case C(evidence), too.
    type: bool
    default: false
    version_added: 1.1.0
  width:
    description: The greatest width of a line of V(text).
    type: int
    default: 80
    version_added: 1.1.0
  ledger:
    description: What a repair has changed, as P(netmedic.calico.ledger#filter) returns it, for V(html) and V(markdown).
    type: dict
    default: {}
    version_added: 1.1.0
  cluster:
    description:
      - The value of the label C(cluster) at each sample of V(metrics). Empty leaves the label out.
      - Needed where a node_exporter shows the files of more than one cluster, which would otherwise be taken for one.
    type: str
    default: ""
    version_added: 1.1.0
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
    formats: [json, html, junit]
  run_once: true
"""

RETURN = r"""
path:
  description: The first file.
  type: str
  returned: success
  sample: /var/lib/reports/calico/report.json
paths:
  description: All files.
  type: list
  elements: str
  returned: success
  sample: [/var/lib/reports/calico/report.json, /var/lib/reports/calico/report.html]
"""
