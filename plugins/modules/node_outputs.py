#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What programs on a node print, and logs, bounded and without secrets."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_outputs
short_description: Read what programs on a Calico node print, and logs, for a person to look at
version_added: 1.3.0
author: netmedic.calico contributors (@netmedic)
description:
  - Reads in one pass what a maintainer of Calico would ask for. BIRD's status, sessions, routes and configuration,
    the kernel's addresses, routes, neighbours and packet filters, time, kernel settings, and the current and previous
    logs of Calico's pods and of kubelet.
  - Changes nothing on the node and writes nothing there. No connection to another node is opened, BIRD is asked over
    its own socket in a session that cannot change anything, no part of the kernel is loaded and no service is started.
  - Runs at the lowest priority for processor and disk.
  - Every output is bounded in time and size, and so is the whole. Of what is too long the beginning and the end are
    kept, and the gap is marked.
  - Passwords, tokens and private keys are cut out before anything leaves the node. Of BIRD's configuration only the
    statements are kept that are known to be harmless. Lists of processes are without their arguments.
notes:
  - Run it as root. What other users may not read is told as failed.
  - The result is large. Register it under C(no_log), as the role P(netmedic.calico.must_gather#role) does, and
    give it to M(netmedic.calico.save_must_gather).
options:
  max_kb:
    description: How large the parcel may become, compressed, in KiB. What comes last is cut or left out.
    type: int
    default: 4096
  seconds:
    description: How long the whole pass may take. What has not been read by then is left out.
    type: int
    default: 60
  timeout:
    description: How long a single program may take.
    type: int
    default: 10
attributes:
  check_mode:
    description: Can run in check mode, where it does what it always does. Nothing is changed.
    support: full
  diff_mode:
    description: There is nothing to show a difference of.
    support: none
seealso:
  - module: netmedic.calico.node_facts
  - module: netmedic.calico.save_must_gather
"""

EXAMPLES = r"""
- name: Read outputs and logs
  netmedic.calico.node_outputs:
  become: true
  register: must_gather_result
  no_log: true
"""

RETURN = r"""
parcel:
  description: The outputs, compressed, as base64. M(netmedic.calico.save_must_gather) reads it.
  type: str
  returned: success
  sample: eJzLSy0p...
counts:
  description:
    - How many outputs are whole (C(ok)), without their middle (C(cut)), not there (C(absent)), not or only partly
      read (C(failed)), and left out for want of time or room (C(left_out)).
  type: dict
  returned: success
  sample: {"ok": 40, "cut": 1, "absent": 12, "failed": 0, "left_out": 0}
duration_seconds:
  description: How long the pass took.
  type: float
  returned: success
  sample: 0.9
cpu_seconds:
  description: Processor time of the module and the programs that it ran.
  type: float
  returned: success
  sample: 0.4
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._gather import gather

_LEAST = {"max_kb": 64, "seconds": 1, "timeout": 1}


def main() -> None:
    """Read the outputs and return them."""
    module = AnsibleModule(
        argument_spec={
            "max_kb": {"type": "int", "default": 4096},
            "seconds": {"type": "int", "default": 60},
            "timeout": {"type": "int", "default": 10},
        },
        supports_check_mode=True,
    )
    for name, least in _LEAST.items():
        if module.params[name] < least:
            module.fail_json(msg=f"{name} must be at least {least}, not {module.params[name]}.")
    module.exit_json(changed=False, **gather.gather(module.params))


if __name__ == "__main__":
    main()
