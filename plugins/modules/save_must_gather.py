#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin save_must_gather."""

from __future__ import annotations

DOCUMENTATION = r"""
module: save_must_gather
short_description: Write what nodes and API told as one archive on the controller
version_added: 1.3.0
author: netmedic.calico contributors (@netmedic)
description:
  - Writes an evidence bundle as an archive C(calico-must-gather-<time>.tar.gz), whole or not at all. In it are the
    facts of all hosts, the objects of the Kubernetes API, and the outputs that M(netmedic.calico.node_outputs) has
    read.
  - C(index.json) and C(INDEX.md) in it say what was asked, what came, and what did not and why.
  - Only the user who runs Ansible may read it. Passwords, tokens and private keys are not in it.
  - No node is connected to. What hosts told is taken from their variables, C(collect_result) of the role
    P(netmedic.calico.collect#role) and C(must_gather_result) of the role P(netmedic.calico.must_gather#role).
  - In check mode it only sees that the archive can be written. The playbook does so before any node is asked.
options:
  directory:
    description: The directory to write the archive into. It is made where it is not there.
    type: path
    required: true
  hosts:
    description: The names of the hosts that make up the cluster.
    type: list
    elements: str
    required: true
  nodes:
    description: Whose outputs were asked for. V(affected), V(all), or names of hosts.
    type: list
    elements: str
    default: [affected]
  report:
    description: The report of the diagnosis. Needed unless in check mode.
    type: dict
  choice:
    description: What P(netmedic.calico.gather_choice#filter) gave. Needed unless in check mode.
    type: dict
  max_mb:
    description:
      - How large the archive may become, in MiB. Facts and objects must fit; of outputs the least telling are left out.
    type: int
    default: 100
  max_nodes:
    description: The limit by which the nodes were chosen, for the index.
    type: int
    default: 20
  seconds:
    description: What O(netmedic.calico.node_outputs#module:seconds) is to be. It is only looked at for mistakes.
    type: int
    default: 60
  timeout:
    description: What O(netmedic.calico.node_outputs#module:timeout) is to be. It is only looked at for mistakes.
    type: int
    default: 10
  environment_file:
    description: A file on the controller that goes into the archive as C(environment.yml).
    type: path
    default: ""
  redact:
    description:
      - Write the archive as it may be shared, as M(netmedic.calico.save_redacted) does. One with the real names is
        never written. If something would leak, nothing is written and the task fails.
    type: bool
    default: false
  redact_key:
    description: What the replacements follow from. Empty takes a random one and forgets it.
    type: str
    default: ""
attributes:
  check_mode:
    description: Can run in check mode and tell whether it could write, without writing.
    support: full
  diff_mode:
    description: There is nothing to show a difference of.
    support: none
seealso:
  - module: netmedic.calico.node_outputs
  - module: netmedic.calico.save_bundle
"""

EXAMPLES = r"""
- name: Write the archive
  netmedic.calico.save_must_gather:
    directory: /var/tmp
    hosts: "{{ ansible_play_hosts_all }}"
    report: "{{ diagnose_report }}"
    choice: "{{ must_gather_choice }}"
  run_once: true
"""

RETURN = r"""
path:
  description: The archive.
  type: str
  returned: when it was written
  sample: /var/tmp/calico-must-gather-20260101T101502Z.tar.gz
size:
  description: Its size in bytes.
  type: int
  returned: when it was written
  sample: 183422
lines:
  description: What is in it, for a person, line by line.
  type: list
  elements: str
  returned: when it was written
  sample: ["Archive  /var/tmp/calico-must-gather-20260101T101502Z.tar.gz"]
msg:
  description: Whether it could be written.
  type: str
  returned: in check mode
  sample: The archive can be written into /var/tmp.
"""
