#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Kubernetes API tells about Calico."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_info
short_description: Gather what the Kubernetes API tells about Calico
version_added: 1.1.0
author: netmedic.calico contributors (@netmedic)
description:
  - Reads from the Kubernetes API what a diagnosis of Calico needs, and nothing else.
  - That is Nodes, calico-node or canal with their pods and events wherever they are, Typha, the operator's objects,
    Calico's own objects in whichever API group they are, and admission webhooks that are asked about Calico's pods.
  - Changes nothing. The only objects that it sends are reviews of access, which the API answers and does not keep.
  - Of secrets it tells whether they exist, the names of their keys, and whether calico-node may read them. No value of
    a secret is ever returned.
  - Never fails because of the API. If it cannot be reached, V(ansible_facts.calico_cluster.reached) is V(false) and
    V(ansible_facts.calico_cluster.why) says why. What of it could not be read is told under
    V(ansible_facts.calico_cluster.sources).
  - What is read is cut down while it arrives. Pods that are not Calico's and endpoints of Services are only counted by
    node, so that neither the memory used nor the facts grow with the workloads of the cluster.
notes:
  - Run it once for a cluster, on the controller (C(delegate_to=localhost)), in a pod of the cluster or on a node of
    the control plane.
  - Without the Python library C(kubernetes) it uses C(kubectl), one process for each request. This is slower, and
    fetches whole objects.
  - The role C(netmedic.calico.collect) carries C(files/rbac.yml), a manifest with an account that may do just what
    this module does.
extends_documentation_fragment:
  - netmedic.calico.harmless
  - netmedic.calico.api
options:
  page_size:
    description: How many objects are asked for at once. Of kinds with large objects fewer are.
    type: int
    default: 500
  workloads:
    description: Whether to count other pods and endpoints of Services by node. It says how much a broken node touches
      and takes most of the time in a large cluster.
    type: bool
    default: true
attributes:
  facts:
    description: Returns facts under C(ansible_facts).
    support: full
  platform:
    description: Where the module runs.
    platforms: posix
    support: full
seealso:
  - module: netmedic.calico.node_facts
"""

EXAMPLES = r"""
- name: Gather what the API tells, with the kubeconfig of the user who runs the play
  netmedic.calico.cluster_info:
  delegate_to: localhost
  run_once: true

- name: Gather it with an account of its own
  netmedic.calico.cluster_info:
    host: https://api.example.org:6443
    api_key: "{{ netmedic_token }}"
    ca_cert: /etc/netmedic/ca.crt
  delegate_to: localhost
  run_once: true

- name: Gather it on a node of the control plane, by kubectl
  netmedic.calico.cluster_info:
    via: kubectl
  become: true
  run_once: true
"""

RETURN = r"""
ansible_facts:
  description: The facts.
  returned: always
  type: complex
  contains:
    calico_cluster:
      description: What the API tells.
      returned: always
      type: dict
      contains:
        schema:
          description: Version of this shape.
          type: int
          returned: always
          sample: 1
        taken_at:
          description: When it was read, by the API server's clock or, where that is not known, by this host's.
          type: str
          returned: always
          sample: "2026-11-21T00:00:00Z"
        reached:
          description: Whether the API answered.
          type: bool
          returned: always
          sample: true
        via:
          description: How it was reached, V(kubernetes client), V(kubectl) or V(in-cluster). Empty if no way was found.
          type: str
          returned: always
          sample: kubernetes client
        why:
          description: Why it was not reached, and what to do about that.
          type: str
          returned: always
          sample: ""
        server:
          description: Address of the API server.
          type: str
          returned: always
          sample: https://10.200.0.1:6443
        version:
          description: Version of Kubernetes.
          type: str
          returned: always
          sample: v1.29.3
        group:
          description: API group and version in which Calico's objects were read. Empty if there is none.
          type: str
          returned: always
          sample: crd.projectcalico.org/v1
        native_v3:
          description: Whether C(projectcalico.org/v3) is served from definitions of its own instead of by Calico's API
            server.
          type: bool
          returned: always
          sample: false
        sources:
          description:
            - Everything that was asked for, with I(source), I(status), I(detail) and I(count), the number of objects
              that were kept or counted.
            - I(status) is V(ok), V(absent) if there is no such kind, V(forbidden), V(failed), or V(partial) if some of
              it could not be read.
          type: list
          elements: dict
          returned: always
          sample: [{"source": "nodes", "status": "ok", "detail": "", "count": 4}]
        objects:
          description:
            - The objects by the plurals of their kinds. They have the shape that the API gives them, with fewer fields.
            - Of Nodes all labels are kept. Of what is well only as much is kept as tells that it is. The states of
              containers are left out of pods that are ready and were never restarted.
            - Of environment variables, ConfigMaps and other settings nothing is kept that looks like a secret.
            - Kinds of which there are no objects are left out.
            - Of a kind with 100 objects or more, what most of them have in common is told once, as I(like), and each of
              the I(items) holds only where it differs, with null for what it has not. In lists of the same length the
              items differ place by place.
            - Of 100 leases or more only those are listed that were not renewed just before.
          type: dict
          returned: always
          sample: {"ippools": [{"metadata": {"name": "default"}, "spec": {"cidr": "192.168.0.0/16"}}]}
        secrets:
          description:
            - The secrets that BGPConfiguration and BGPPeers name, looked for in the namespace of each calico-node, with
              I(namespace), I(name), I(exists), I(keys) (the names only), I(readable) (by calico-node) and I(why).
            - I(exists) and I(readable) are null where that is not known. I(why) then says why.
          type: list
          elements: dict
          returned: always
          sample:
            - namespace: calico-system
              name: bgp-secrets
              exists: true
              keys: [rr-password]
              readable: true
              why: ""
        workload_pods:
          description: How many pods with a network of their own each node has, without Calico's and without those that
            have ended.
          type: dict
          returned: always
          sample: {"node-1": 31}
        service_endpoints:
          description: How many Services have an endpoint on each node.
          type: dict
          returned: always
          sample: {"node-1": 12}
"""

from ansible.module_utils.basic import AnsibleModule, env_fallback

from ..module_utils._cluster import options, read


def main() -> None:
    """Gather the facts and return them."""
    module = AnsibleModule(argument_spec=options.spec(env_fallback), supports_check_mode=True)
    problem = options.out_of_range(module.params)
    if problem:
        module.fail_json(msg=problem)
    module.exit_json(changed=False, ansible_facts=read.gather(module.params))


if __name__ == "__main__":
    main()
