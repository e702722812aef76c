#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin analyze_bundles."""

from __future__ import annotations

DOCUMENTATION = r"""
module: analyze_bundles
short_description: Find the causes of BGP faults in evidence bundles, without a cluster
version_added: 1.1.0
author: netmedic.calico contributors (@netmedic)
description:
  - Reads evidence bundles on the controller, prints a report on each and a table of all of them, and writes
    C(<directory>/<bundle name>/report.json). Where the fault is in an object or a rule that is in the bundle, the
    corrected text lies beside it as a patch, in C(patches/).
  - A bundle is a directory, an archive (C(.tar), C(.tar.gz), C(.tgz), C(.tar.bz2), C(.tar.xz), C(.zip)) or a single
    text. Besides bundles of this collection, what C(calicoctl node diags) and C(calicoctl cluster diags) collect, the
    logs of the runbook of IBM Cloud Kubernetes Service, and loose or pasted outputs are read as they come.
  - Nothing is connected to, and nothing in a bundle is executed or unpacked to disk. What is wrong with one bundle is
    told in its report and never stops the others.
options:
  bundles:
    description: The bundles.
    type: list
    elements: path
    required: true
  directory:
    description: The directory on the controller in which each bundle gets one of its own. Empty writes no file.
    type: path
    default: ""
  formats:
    description: The forms in which each report is written, as those of M(netmedic.calico.save_report).
    type: list
    elements: str
    choices: [json, text, html, markdown, junit, sarif, metrics]
    default: [json]
  width:
    description: The greatest width of a printed line.
    type: int
    default: 80
  fail_on:
    description:
      - The least severity of a finding for which RV(failure) is not empty. For V(never) no finding is one; of a bundle
        that cannot be read, or that tells nothing of a node or of BGP, RV(failure) tells all the same.
    type: str
    choices: [info, minor, major, critical, never]
    default: major
  incomplete:
    description: Whether RV(failure) also tells of evidence that does not allow a statement.
    type: bool
    default: false
  checks:
    description: Checks of your own, as those of P(netmedic.calico.classify#filter).
    type: list
    elements: dict
    default: []
  waivers:
    description: Findings that are known and accepted for a time, as those of P(netmedic.calico.classify#filter).
    type: list
    elements: dict
    default: []
attributes:
  check_mode:
    description: Can run in check mode and tell what it would do, without writing.
    support: full
  diff_mode:
    description: The difference of two reports is not shown.
    support: none
seealso:
  - module: netmedic.calico.save_bundle
  - module: netmedic.calico.save_report
"""

EXAMPLES = r"""
- name: Look at what was sent in
  netmedic.calico.analyze_bundles:
    bundles:
      - tickets/4711.zip
      - tickets/4712
    directory: out
"""

RETURN = r"""
bundles:
  description:
    - What was found in each bundle, in the order in which they were given.
    - C(name) is its directory in O(directory), C(report) the path of its report, C(first) its first finding.
  type: list
  elements: dict
  returned: success
failure:
  description: One sentence, empty where every bundle is as good as the caller wants it.
  type: str
  returned: success
"""
