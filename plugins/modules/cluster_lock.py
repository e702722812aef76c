#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock on a cluster, so that two runs do not repair it at once."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_lock
short_description: Hold the lock on a cluster while it is repaired
version_added: 1.2.0
author: netmedic.calico contributors (@netmedic)
description:
  - Keeps two runs from repairing one cluster at the same time, by a Lease with the name C(netmedic-calico-remediate).
  - The lock is held for O(seconds) and has to be renewed in that time. Of a run that has died it is taken over when
    these have passed.
  - Who wants it while another one holds it is refused, and told who holds it, since when and until when.
  - The times are those of the API server.
  - With O(process) a run that was killed keeps out those on the same controller no longer than it lives. A warning
    tells from whom the lock was taken.
options:
  state:
    description:
      - V(acquired) takes the lock if nobody holds it, and renews it if O(holder) holds it already. It fails, and gives
        the lock back, if the account could not renew it or give it back later.
      - V(renewed) fails if O(holder) does not hold it any more. Then another one may be at work.
      - V(released) gives it back. If O(holder) does not hold it, nothing is done.
    type: str
    choices: [acquired, renewed, released]
    default: acquired
  holder:
    description: Who holds it, in words that tell others whom to ask. No two runs may use the same.
    type: str
    required: true
  seconds:
    description: For how long it is held unless it is renewed, 30 to 3600 seconds. To be longer than the longest step
      that is taken between two renewals.
    type: int
    default: 120
  namespace:
    description: The namespace of calico-node, where the Lease is kept.
    type: str
    default: kube-system
  process:
    description:
      - The process of the controller that holds the lock, as M(netmedic.calico.repair_run) returns it. Once it is gone,
        with all that it has started, whoever wants the lock on the same controller gets it at once.
      - To be left out where the lock is to outlive the playbook that takes it.
      - Seen is only what runs in the same boot and the same namespace of processes, under the same user. Everybody else
        waits until the lock has ended.
    type: str
    default: ""
    version_added: 1.2.0
  instead_of:
    description: The process of a holder that is known to be gone, which loses the lock. The action plugin finds this
      out by itself.
    type: str
    default: ""
    version_added: 1.2.0
extends_documentation_fragment: netmedic.calico.api
attributes:
  check_mode:
    description: In check mode the API is asked for a dry run.
    support: full
  diff_mode:
    description: There is nothing to show but who holds the lock, which is returned.
    support: none
  platform:
    description: Where the module runs.
    platforms: posix
    support: full
seealso:
  - module: netmedic.calico.object_change
"""

EXAMPLES = r"""
- name: Take the lock
  netmedic.calico.cluster_lock:
    holder: "{{ lookup('pipe', 'whoami') }}@{{ lookup('pipe', 'hostname') }}, job 4711"
    namespace: calico-system
  delegate_to: localhost
  run_once: true

- name: Give it back
  netmedic.calico.cluster_lock:
    holder: "{{ lookup('pipe', 'whoami') }}@{{ lookup('pipe', 'hostname') }}, job 4711"
    namespace: calico-system
    state: released
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
holder:
  description: Who holds the lock now. Empty if nobody does.
  type: str
  returned: success
  sample: ops@bastion, job 4711
since:
  description: Since when.
  type: str
  returned: success
  sample: "2026-11-21T00:00:00Z"
until:
  description: Until when, if it is not renewed.
  type: str
  returned: success
  sample: "2026-11-21T00:02:00Z"
taken_over_from:
  description: Who held it before and did not renew it in time, or is gone. Empty if there was nobody.
  type: str
  returned: success
  sample: ""
"""

from ansible.module_utils.basic import AnsibleModule, env_fallback

from ..module_utils._cluster import options
from ..module_utils._object_change import lock


def main() -> None:
    """Acquire, renew or release the lock."""
    own = {
        "state": {"type": "str", "default": lock.ACQUIRED, "choices": [lock.ACQUIRED, lock.RENEWED, lock.RELEASED]},
        "holder": {"type": "str", "required": True},
        "seconds": {"type": "int", "default": lock.SECONDS},
        "namespace": {"type": "str", "default": "kube-system"},
        "process": {"type": "str", "default": ""},
        "instead_of": {"type": "str", "default": ""},
    }
    module = AnsibleModule(argument_spec={**options.connection(env_fallback), **own}, supports_check_mode=True)
    wrong = options.out_of_range(module.params)
    if not wrong and not module.params["holder"].strip():
        wrong = "holder must not be empty."
    if not wrong and not lock.SHORTEST <= module.params["seconds"] <= lock.LONGEST:
        wrong = f"seconds must be {lock.SHORTEST} to {lock.LONGEST}, not {module.params['seconds']}."
    if wrong:
        module.fail_json(msg=wrong)
    standing = lock.hold(module.params, module.check_mode)
    if standing.why:
        module.fail_json(msg=standing.why, process=standing.process)
    module.exit_json(
        changed=standing.changed,
        holder=standing.holder,
        since=standing.since,
        until=standing.until,
        taken_over_from=standing.taken_over_from,
    )


if __name__ == "__main__":
    main()
