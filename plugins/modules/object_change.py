#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing objects through the Kubernetes API, with a way back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: object_change
short_description: Change objects through the Kubernetes API, and put them back
version_added: 1.2.0
author: netmedic.calico contributors (@netmedic)
description:
  - Changes fields of objects, makes and deletes objects, copies secrets and restarts pods, the way a repair needs it.
  - First the API is asked for a dry run of all changes. If one of them is refused, by the API, a webhook or this
    module, nothing is changed at all.
  - A change is made to the object as it was read, and to no other. If it changes meanwhile, it is read anew, and
    whether and how to change it is decided anew. Where the API is busy or fails, the change is tried again, as long as
    the time allows. Where its answer was lost, the object is read to see whether the change was made. It is never made
    twice.
  - What is as wanted already is not changed.
  - Returns a record of what was changed. O(state=undone) puts everything back by it.
  - What an owner would put back is not changed, unless O(changes[].despite_owner) is given. Owners are told by
    controllers in C(metadata.ownerReferences), the labels of Helm, operators, addon managers and the like, and by
    C(metadata.managedFields).
  - No value of a secret is in any argument, result, difference, record or message. An object that holds what looks like
    a secret is not made, and what holds one is not deleted or replaced without O(changes[].irreversible), as it could
    not be put back.
notes:
  - If one of several changes fails after the others were made, the task fails and RV(record) tells those that were
    made. Keep the record of failed tasks, too, or use O(journal).
  - Fields are written as field manager C(netmedic-calico), with merge patches. C(kubectl)'s last applied configuration
    is left as it is.
  - With C(kubectl) whole objects are written instead of patches, on the same conditions.
  - The role C(netmedic.calico.remediate) carries C(files/rbac.yml), a manifest with an account that may do what repairs
    need, and C(files/rbac-bgp-passwords.yml) for secrets.
options:
  state:
    description:
      - V(done) makes O(changes).
      - V(undone) puts back, last change first, what O(record) or O(journal) tells. Fields are put back that still have
        the values that were given to them, whatever else has changed in the object since. Objects that were made are
        deleted if they are as they were made, and those that were deleted are made again. If one of them cannot be put
        back, none is.
    type: str
    choices: [done, undone]
    default: done
  changes:
    description: What to change, in this order.
    type: list
    elements: dict
    suboptions:
      action:
        description:
          - V(patch) changes fields by O(changes[].patch) and O(changes[].set).
          - V(create) makes O(changes[].object), unless it is there already. One that is there and differs is refused.
          - V(delete) deletes an object, unless it is gone already.
          - V(copy_secret) copies O(changes[].keys) of a secret and its type, and nothing else of it. Other keys of the
            secret that it is copied to stay.
          - V(allow_secret) makes a Role to get, list and watch the one secret, and a RoleBinding for
            O(changes[].service_account), both with the name C(ACCOUNT-SECRET).
          - V(restart_pod) deletes the one pod that has O(changes[].uid), if a controller makes it anew.
          - V(cordon) and V(uncordon) keep pods from a Node, and let them there.
        type: str
        required: true
        choices: [patch, create, delete, copy_secret, allow_secret, restart_pod, cordon, uncordon]
      api_version:
        description:
          - For V(patch) and V(delete), group and version of the object.
          - One of Calico's kinds is also found in the other one of C(crd.projectcalico.org/v1) and
            C(projectcalico.org/v3), if the one that is given is not served. If none is given, it is looked for in both.
        type: str
      kind:
        description: For V(patch) and V(delete), the kind of the object.
        type: str
      name:
        description: The name of the object, secret, pod or Node.
        type: str
      namespace:
        description: Its namespace.
        type: str
      uid:
        description: The object's uid. If it is another one now, it is not touched.
        type: str
      patch:
        description: For V(patch), fields and their new values, as a merge patch. Null takes a field away. Lists are
          replaced as a whole.
        type: dict
      set:
        description: For V(patch), single fields, also those in items of lists.
        type: list
        elements: dict
        suboptions:
          path:
            description: The names that lead to the field. An object among them chooses the item of a list which has
              these values. If there is none, it is added.
            type: list
            elements: raw
            required: true
          value:
            description: The new value. If it is null or not given, the field is taken away.
            type: raw
          was:
            description: The values that the field may have now, null for none. If it has another one, nothing is
              changed. If not given, it may have any.
            type: list
            elements: raw
      object:
        description: For V(create), the object.
        type: dict
      expect:
        description: For V(patch) and V(delete), fields and the values that they must have now, null for those that
          must not be there. If one has another value, somebody has changed it since it was looked at, and nothing is
          changed.
        type: dict
      from:
        description: For V(copy_secret), I(namespace) and I(name) of the secret to copy.
        type: dict
      to:
        description: For V(copy_secret), I(namespace) and I(name) of the secret to make or complete.
        type: dict
      keys:
        description: For V(copy_secret), the names of the keys to copy.
        type: list
        elements: str
      service_account:
        description: For V(allow_secret), the service account in O(changes[].namespace) that may read the secret.
        type: str
      owner_reverts:
        description: Who would put the change back, and how, in words, if that is known. The change is refused then.
        type: str
      despite_owner:
        description: Make the change even if an owner puts it back.
        type: bool
        default: false
      irreversible:
        description: Make the change even if it could not be put back, because no record may hold a secret.
        type: bool
        default: false
  record:
    description: For O(state=undone), what RV(record) told, of one task or of several, in the order in which these ran.
    type: list
    elements: dict
  journal:
    description:
      - With O(state=done), a file on the host where the module runs to which is added what RV(record) tells. Each
        change is written there, and onto the disk, before it is made, and what became of it afterwards. So the record
        is left even if the task is killed. It is made with mode V(0600), in a directory that must be there. If it
        cannot be written nothing is changed. Several tasks can use one file.
      - With O(state=undone), that file in the place of O(record). A change of which it is not known whether it was made
        is put back if the object shows it.
    type: path
extends_documentation_fragment: netmedic.calico.api
attributes:
  check_mode:
    description: In check mode the API is asked for a dry run of all changes, and everything but RV(record) is returned
      as otherwise.
    support: full
  diff_mode:
    description: Shows the fields that change, with secrets hidden.
    support: full
  platform:
    description: Where the module runs.
    platforms: posix
    support: full
seealso:
  - module: netmedic.calico.cluster_info
  - module: netmedic.calico.cluster_lock
"""

EXAMPLES = r"""
- name: Encapsulate between subnets only
  netmedic.calico.object_change:
    changes:
      - action: patch
        api_version: crd.projectcalico.org/v1
        kind: IPPool
        name: default-ipv4-ippool
        patch: {spec: {ipipMode: CrossSubnet}}
        expect: {spec: {ipipMode: Never, vxlanMode: Never}}
  delegate_to: localhost
  run_once: true
  register: changed

- name: Put it back
  netmedic.calico.object_change:
    state: undone
    record: "{{ changed.record }}"
  delegate_to: localhost
  run_once: true

- name: Make a change whose record is left even if this run is killed
  netmedic.calico.object_change:
    changes:
      - {action: cordon, name: node-2}
    journal: /var/lib/repairs/monday/objects.jsonl
  delegate_to: localhost
  run_once: true

- name: Put back all that was made in that run
  netmedic.calico.object_change:
    state: undone
    journal: /var/lib/repairs/monday/objects.jsonl
  delegate_to: localhost
  run_once: true

- name: Set how calico-node detects its address
  netmedic.calico.object_change:
    changes:
      - action: patch
        api_version: apps/v1
        kind: DaemonSet
        namespace: kube-system
        name: calico-node
        set:
          - path: [spec, template, spec, containers, {name: calico-node}, env, {name: IP_AUTODETECTION_METHOD}, value]
            value: interface=eth0
            was: [null, first-found]
  delegate_to: localhost
  run_once: true

- name: Let calico-node read the BGP passwords in the namespace to which the operator moved it
  netmedic.calico.object_change:
    changes:
      - action: copy_secret
        from: {namespace: kube-system, name: bgp-secrets}
        to: {namespace: calico-system, name: bgp-secrets}
        keys: [rr-password]
      - action: allow_secret
        namespace: calico-system
        name: bgp-secrets
        service_account: calico-node
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
results:
  description: What became of each object.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: What was to be done with it.
      type: str
      returned: always
      sample: patch
    api_version:
      description: Group and version in which it was found.
      type: str
      returned: always
      sample: crd.projectcalico.org/v1
    kind:
      description: Its kind.
      type: str
      returned: always
      sample: IPPool
    namespace:
      description: Its namespace, empty if it has none.
      type: str
      returned: always
      sample: ""
    name:
      description: Its name.
      type: str
      returned: always
      sample: default-ipv4-ippool
    changed:
      description: Whether it was changed.
      type: bool
      returned: always
      sample: true
    fields:
      description: The fields that were changed, with I(field), I(before) and I(after). Null stands for no value, and
        V((hidden\)) for a secret.
      type: list
      elements: dict
      returned: always
      sample: [{"field": "spec.ipipMode", "before": "Never", "after": "CrossSubnet"}]
record:
  description:
    - What was changed, as it is needed to put it back. Empty in check mode.
    - Each entry has the object's key, I(uid), its I(version_before) and its I(resource_version) since, whether it was
      there before (I(was)) and is there now (I(is)), and its fields with their values or the whole object.
    - I(restorable) is false if it cannot be put back, and I(unsure) true if the API fell silent and it is not known
      whether the change was made.
  returned: always
  type: list
  elements: dict
  sample:
    - action: patch
      api_version: crd.projectcalico.org/v1
      kind: IPPool
      namespace: ""
      name: default-ipv4-ippool
      uid: 5a8d5b45-3d7c-4b39-9d63-bb3c4a2c1d54
      version_before: "4710"
      resource_version: "4711"
      was: there
      is: there
      fields: [{"path": ["spec", "ipipMode"], "before": "Never", "after": "CrossSubnet"}]
      restorable: true
refused:
  description: The objects that must not be changed, with I(kind), I(namespace), I(name) and I(why).
  returned: always
  type: list
  elements: dict
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule, env_fallback

from ..module_utils._cluster import options
from ..module_utils._object_change import planning, run

_FIELD = {
    "path": {"type": "list", "elements": "raw", "required": True},
    "value": {"type": "raw"},
    "was": {"type": "list", "elements": "raw"},
}
_CHANGE = {
    "action": {"type": "str", "required": True, "choices": list(planning.NEEDS)},
    "api_version": {"type": "str"},
    "kind": {"type": "str"},
    "name": {"type": "str"},
    "namespace": {"type": "str"},
    "uid": {"type": "str"},
    "patch": {"type": "dict"},
    "set": {"type": "list", "elements": "dict", "options": _FIELD},
    "object": {"type": "dict"},
    "expect": {"type": "dict"},
    "from": {"type": "dict"},
    "to": {"type": "dict"},
    "keys": {"type": "list", "elements": "str", "no_log": False},
    "service_account": {"type": "str"},
    "owner_reverts": {"type": "str"},
    "despite_owner": {"type": "bool", "default": False},
    "irreversible": {"type": "bool", "default": False},
}
_OPTIONS = {
    "state": {"type": "str", "default": run.DONE, "choices": [run.DONE, run.UNDONE]},
    "changes": {"type": "list", "elements": "dict", "options": _CHANGE},
    "record": {"type": "list", "elements": "dict"},
    "journal": {"type": "path"},
}


def main() -> None:
    """Make the changes, or put them back."""
    module = AnsibleModule(
        argument_spec={**options.connection(env_fallback), **_OPTIONS},
        supports_check_mode=True,
        required_if=[("state", run.DONE, ["changes"]), ("state", run.UNDONE, ["record", "journal"], True)],
        mutually_exclusive=[("changes", "record"), ("record", "journal")],
    )
    wrong = options.out_of_range(module.params)
    if wrong:
        module.fail_json(msg=wrong, results=[], record=[], refused=[])
    outcome = run.run(module.params, module.check_mode)
    told = {
        "changed": outcome.changed,
        "results": outcome.results,
        "record": outcome.record,
        "refused": outcome.refusals,
        "diff": outcome.differences,
    }
    if outcome.why:
        module.fail_json(msg=outcome.why, **told)
    module.exit_json(**told)


if __name__ == "__main__":
    main()
