#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin save_bundle."""

from __future__ import annotations

DOCUMENTATION = r"""
module: save_bundle
short_description: Write what the nodes told as an evidence bundle on the controller
version_added: 1.1.0
author: netmedic.calico contributors (@netmedic)
description:
  - Writes the facts of M(netmedic.calico.node_facts), and the texts that it returned
    (O(netmedic.calico.node_facts#module:texts)), into a directory on the controller, whole or not at all.
  - C(nodes/<name>/facts.json) holds a node's facts as they came, C(nodes/<name>/probes.json) what was measured from
    there, C(bundle.json) who was asked and who did not answer.
  - Only the user who runs Ansible may read it. Passwords, tokens and private keys are not in it.
  - No node is connected to. The facts and the result C(collect_result) of the role P(netmedic.calico.collect#role) are
    taken from the hosts' variables.
options:
  directory:
    description:
      - The directory to write the bundle as. An earlier bundle there is replaced, anything else is left alone and the
        task fails.
    type: path
    required: true
  hosts:
    description: The names of the hosts whose facts are written, also of those that did not answer.
    type: list
    elements: str
    required: true
  environment_file:
    description:
      - A file on the controller that goes into the bundle as C(environment.yml). In it the operator says what no output
        shows.
    type: path
    default: ""
  redact:
    description:
      - Write the bundle as it may be shared, as M(netmedic.calico.save_redacted) does. If something would leak, nothing
        is written, and the task fails and warns.
    type: bool
    default: false
    version_added: 1.2.0
  redact_key:
    description:
      - What the replacements follow from. Empty takes a random one and forgets it.
    type: str
    default: ""
    version_added: 1.2.0
attributes:
  check_mode:
    description: Can run in check mode and tell what it would do, without writing.
    support: full
  diff_mode:
    description: The difference of two bundles is not shown.
    support: none
seealso:
  - module: netmedic.calico.node_facts
  - module: netmedic.calico.save_report
"""

EXAMPLES = r"""
- name: Keep what was seen
  netmedic.calico.save_bundle:
    directory: /var/lib/reports/calico/bundle
    hosts: "{{ ansible_play_hosts_all }}"
  run_once: true
"""

RETURN = r"""
path:
  description: The directory.
  type: str
  returned: success
  sample: /var/lib/reports/calico/bundle
nodes:
  description: The hosts whose facts are in the bundle.
  type: list
  elements: str
  returned: success
  sample: [node-1, node-2]
"""
