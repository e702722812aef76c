#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin repair_run."""

from __future__ import annotations

DOCUMENTATION = r"""
module: repair_run
short_description: Keep on the controller what a run that repairs has planned and done
version_added: 1.2.0
author: netmedic.calico contributors (@netmedic)
description:
  - Gives a run that repairs a name and a folder of its own, keeps its plan and its ledger there, and finds an earlier
    run to undo it.
  - The folder can be read by its user only.
  - Runs on the controller only.
options:
  state:
    description:
      - V(opened) checks what the caller allows, sees that the directory can be written, and makes the folder.
      - V(kept) writes O(document), whole and onto the disk.
      - V(found) finds O(run), and tells in which order it is undone.
    type: str
    choices: [opened, kept, found]
    required: true
  directory:
    description: The directory with the folders of all runs.
    type: path
  wishes:
    description: What the caller allows, as the options of the filter P(netmedic.calico.plan#filter).
    type: dict
    default: {}
  path:
    description: The folder of this run.
    type: path
  document:
    description: Which document is kept.
    type: str
    choices: [plan, ledger, rolled-back]
  content:
    description: The document.
    type: dict
  run:
    description: The id or the folder of an earlier run. If it is empty or there is none, the message lists those there
      are.
    type: str
    default: ""
  inventory:
    description: The hosts that can be reached.
    type: list
    elements: str
    default: []
  controller:
    description: Whether localhost takes part in the playbook. Without it no run is opened and none is found, for
      C(--limit) leaves it out unless it names it.
    type: bool
    default: true
attributes:
  check_mode:
    description: Writes nothing in check mode, and tells whether it could be written.
    support: full
  diff_mode:
    description: The documents are shown elsewhere.
    support: none
seealso:
  - module: netmedic.calico.host_change
  - module: netmedic.calico.object_change
"""

EXAMPLES = r"""
- name: Open a run
  netmedic.calico.repair_run:
    state: opened
    directory: /var/lib/repairs
  run_once: true
  register: opened

- name: Keep the plan before anything is changed
  netmedic.calico.repair_run:
    state: kept
    path: "{{ opened.path }}"
    document: plan
    content: "{{ bgp_plan }}"
  run_once: true
"""

RETURN = r"""
run:
  description: The run's id.
  returned: with O(state=opened) and O(state=found)
  type: str
  sample: 20261121T100000Z-3f9a1c
path:
  description: The run's folder, or the file that was written.
  returned: success
  type: str
  sample: /var/lib/repairs/20261121T100000Z-3f9a1c
holder:
  description: Who changes the cluster, for M(netmedic.calico.cluster_lock).
  returned: with O(state=opened) and O(state=found)
  type: str
  sample: ops@bastion, run 20261121T100000Z-3f9a1c
process:
  description: The process of the controller in which this runs, for M(netmedic.calico.cluster_lock). Empty where a
    later run could not tell whether it is gone.
  returned: with O(state=opened) and O(state=found)
  type: str
  sample: 3c1f0e5a-52c4-4dd5-a46c-ea63d6e8d4a1 pid:[4026531836] 1000 4711 183746 pipe:[90210]
undo:
  description: How all that this run is going to do is undone, in a sentence.
  returned: with O(state=opened)
  type: str
  sample: "What this run did is undone by: ansible-playbook netmedic.calico.rollback -i INVENTORY
    -e rollback_run=/var/lib/repairs/20261121T100000Z-3f9a1c"
  version_added: 1.2.0
turns:
  description: What undoes the run, in this order. Each has the host (I(at)), the I(id) of the change there, which is
    empty where objects are put back, and whether the run has told that it came to its end there (I(taken)).
  returned: with O(state=found)
  type: list
  elements: dict
  sample: [{"number": 1, "at": "node-2", "id": "20261121T100000Z-3f9a1c-bgp_firewall", "hold": 210, "taken": true}]
journal:
  description: The journal of the objects that were changed. Empty if there is none.
  returned: with O(state=found)
  type: str
  sample: ""
lock:
  description: The namespace of the lock that the run held. Empty if it held none.
  returned: with O(state=found)
  type: str
  sample: kube-system
says:
  description: What the run has done, in a line.
  returned: with O(state=found)
  type: str
  sample: "20261121T100000Z-3f9a1c: bgp_firewall on node-2"
"""
