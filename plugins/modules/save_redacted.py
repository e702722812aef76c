#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin save_redacted."""

from __future__ import annotations

DOCUMENTATION = r"""
module: save_redacted
short_description: Write bundles and reports on the controller as they may be shared
version_added: 1.2.0
author: netmedic.calico contributors (@netmedic)
description:
  - Reads evidence bundles and files C(report.json), and writes them without secrets and with names and addresses
    replaced,
    as the filter P(netmedic.calico.redact#filter) does. All of them are redacted under one key, so that a report and
    its
    bundle still belong together.
  - A bundle gets a file C(redaction.json) that says what follows from the order of the real addresses, since the node
    whose
    address is the greater string dials. P(netmedic.calico.analyze#role) reads it.
  - What is to be written is looked through first. If one of the originals' secrets, names or addresses is still there,
    nothing is written and the task fails.
  - No node is connected to.
options:
  inputs:
    description: The bundles (directories, archives, single texts) and reports.
    type: list
    elements: path
    required: true
  directory:
    description:
      - The directory on the controller to write into. What came as a directory is written as a directory, what came
        as an
        archive as a C(.tar.gz), a report as a file C(.json), each under its name without the names of nodes in it.
    type: path
    required: true
  key:
    description:
      - What the replacements follow from. With the same key names and addresses are always replaced in the same way.
        It is
        not written anywhere.
      - Empty takes a random one and forgets it.
    type: str
    default: ""
  words:
    description: Further words to replace, such as the name of an organisation.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Can run in check mode and tell what it would do, without writing.
    support: full
  diff_mode:
    description: The difference to the originals is not shown.
    support: none
seealso:
  - plugin: netmedic.calico.redact
    plugin_type: filter
  - module: netmedic.calico.save_bundle
"""

EXAMPLES = r"""
- name: Make a bundle and its report shareable
  netmedic.calico.save_redacted:
    inputs: [/srv/calico/bundle, /srv/calico/report.json]
    directory: /srv/shared
    key: "{{ redact_key }}"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
paths:
  description: What was written, in the order of the inputs.
  type: list
  elements: str
  returned: success
  sample: [/srv/shared/bundle, /srv/shared/report.json]
replaced:
  description: For each of them how many names, addresses and secrets were replaced, of all that was read.
  type: list
  elements: dict
  returned: success
  sample: [{names: 12, addresses: 40, secrets: 3}]
left_out:
  description:
    - For each of them the files that are not shared, or not as a whole, and why. Of a long log its beginning, its
      newest lines and the telling ones between them are shared, as the analysis reads them.
  type: list
  elements: list
  returned: success
  sample: [["nodes/node-1/calico-node.log: Of 5.0 MB its beginning and its newest lines were read"], []]
random_key:
  description: Whether a random key was used, for none was given.
  type: bool
  returned: success
msg:
  description: One sentence, also on what failed.
  type: str
  returned: always
"""
