#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about time synchronisation of a node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: chrony_facts
short_description: Gather facts about the time synchronisation of a node
version_added: 1.0.0
author: netmedic.calico contributors (@netmedic)
description:
  - Finds out which time service runs, chrony, ntpd or systemd-timesyncd, asks it how well it keeps the clock, and asks
    the kernel whether anything disciplines its clock.
  - Only a service that runs is asked. None is started.
  - chronyd and ntpd are asked over their own ports on the loopback interface, and by C(chronyc) or C(ntpq) where they
    do not answer there.
  - M(netmedic.calico.node_facts) gathers the same together with all other facts in one pass.
extends_documentation_fragment:
  - netmedic.calico.harmless
  - netmedic.calico.facts
seealso:
  - module: netmedic.calico.node_facts
"""

EXAMPLES = r"""
- name: Gather facts about the clock
  netmedic.calico.chrony_facts:

- name: Fail where the clock is not kept
  ansible.builtin.assert:
    that: ansible_facts.calico_chrony.synchronised is true
    fail_msg: "{{ ansible_facts.calico_chrony.why }}"
"""

RETURN = r"""
ansible_facts:
  description: The facts.
  returned: always
  type: complex
  contains:
    calico_chrony:
      description: Facts about the clock. Keys whose value is unknown are left out.
      returned: always
      type: dict
      contains:
        schema:
          description: Version of this shape.
          type: int
          returned: always
          sample: 1
        taken_at:
          description: When the facts were taken, by the node's clock.
          type: str
          returned: always
          sample: "2026-11-21T00:00:00Z"
        sources:
          description: Everything that was tried, with I(source), I(status) (V(ok), V(absent), V(failed) or
            V(unrecognised)) and I(detail).
          type: list
          elements: dict
          returned: always
          sample: [{"source": "chrony", "status": "ok", "detail": ""}]
        service:
          description: The time service that runs, V(chrony), V(ntpd), V(openntpd), V(timesyncd) or V(none).
          type: str
          returned: always
          sample: chrony
        running:
          description: Whether there is one.
          type: bool
          returned: always
          sample: true
        also_running:
          description: Other time services that run at the same time. Two of them may work against each other.
          type: list
          elements: str
          returned: if there are any
          sample: [timesyncd]
        synchronised:
          description: Whether it follows a source of time. V(none) if it does not say.
          type: bool
          returned: always
          sample: true
        kernel_synchronised:
          description: Whether the kernel says that its clock is disciplined. It says no where the service was told to
            leave the clock alone.
          type: bool
          returned: if the kernel can be asked
          sample: true
        offset_seconds:
          description: How far the clock is off by the service's own estimate. A positive number means behind.
          type: float
          returned: if synchronised
          sample: 0.000012
        offset_to_controller_seconds:
          description:
            - How far the node's clock is ahead of the controller's. A negative number means behind.
            - The true offset differs from it by no more than
              RV(ansible_facts.calico_chrony.offset_to_controller_error_seconds).
          type: float
          returned: by M(netmedic.calico.node_facts), unless it runs asynchronously
          sample: 0.04
        offset_to_controller_error_seconds:
          description: How far that may be wrong, which is half the time that the question and the answer took.
          type: float
          returned: with RV(ansible_facts.calico_chrony.offset_to_controller_seconds)
          sample: 0.06
        stratum:
          description: Distance from a reference clock.
          type: int
          returned: if known
          sample: 3
        leap:
          description: V(normal), V(insert_second), V(delete_second) or V(not_synchronised).
          type: str
          returned: if known
          sample: normal
        reference:
          description: Address or name of the source that it follows.
          type: str
          returned: if known
          sample: 192.0.2.1
        sources_total:
          description: How many sources it has.
          type: int
          returned: if known
          sample: 4
        sources_reachable:
          description: How many of them answered lately.
          type: int
          returned: if known
          sample: 4
        last_update_seconds_ago:
          description: How long ago the clock was last compared with a source.
          type: int
          returned: if known
          sample: 64
        why:
          description: All this in one sentence.
          type: str
          returned: always
          sample: chronyd follows 192.0.2.1 (4 of 4 sources answer).
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._facts import node, options


def main() -> None:
    """Gather the facts and return them."""
    module = AnsibleModule(argument_spec=options.spec("timeout"), supports_check_mode=True)
    problem = options.out_of_range(module.params)
    if problem:
        module.fail_json(msg=problem)
    module.exit_json(changed=False, ansible_facts=node.gather(module.params, ("chrony",)))


if __name__ == "__main__":
    main()
