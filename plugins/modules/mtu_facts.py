#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about packet sizes on a Calico node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mtu_facts
short_description: Gather facts about MTUs on a Calico node and on its paths to peers
version_added: 1.0.0
author: netmedic.calico contributors (@netmedic)
description:
  - Returns the MTU of the interfaces that lead to peers, of Calico's tunnels and of the pods' interfaces, what Calico
    and the CNI configuration were told, and which encapsulation is in use.
  - Measures what paths to peers really carry, with packets that routers must not fragment. One peer is asked for each
    distinct class of path, which is to say for each interface and subnet on it, or router and subnet behind it. A path
    that carries what the interface takes costs one packet.
  - The measurement leaves nothing in the kernel's cache of path MTUs.
  - M(netmedic.calico.node_facts) gathers the same together with all other facts in one pass.
notes:
  - Run it as root. Other users may not send probes, and mostly not ask BIRD for its peers. The facts then say so.
extends_documentation_fragment:
  - netmedic.calico.harmless
  - netmedic.calico.facts
  - netmedic.calico.facts.bird
  - netmedic.calico.facts.probe
seealso:
  - module: netmedic.calico.node_facts
"""

EXAMPLES = r"""
- name: Gather facts about packet sizes
  netmedic.calico.mtu_facts:
  become: true

- name: Fail where a path carries less than pods and their encapsulation need
  ansible.builtin.assert:
    that: item.carries is none or item.carries >= ansible_facts.calico_mtu.required | default(0)
  loop: "{{ ansible_facts.calico_mtu.paths }}"

- name: Read what is configured, without sending anything
  netmedic.calico.mtu_facts:
    probe: false
"""

RETURN = r"""
ansible_facts:
  description: The facts.
  returned: always
  type: complex
  contains:
    calico_mtu:
      description: Facts about packet sizes, in bytes of the IP packet. Keys whose value is unknown are left out.
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
          description: Everything that was tried, and how it went.
          type: list
          elements: dict
          returned: always
          contains:
            source:
              description: Name of the source.
              type: str
              returned: always
              sample: path_mtu
            status:
              description: One of V(ok), V(absent), V(failed) and V(unrecognised).
              type: str
              returned: always
              sample: ok
            detail:
              description: One sentence for a person, empty if there is nothing to say.
              type: str
              returned: always
        interfaces:
          description: MTU by name of the interfaces that lead to peers, and of Calico's and flannel's tunnels.
          type: dict
          returned: always
          sample: {"eth0": 1500, "tunl0": 1480}
        workloads:
          description: The pods' interfaces.
          type: dict
          returned: if there are any
          contains:
            count:
              description: How many there are.
              type: int
              returned: always
              sample: 12
            mtus:
              description: How many there are of each MTU.
              type: dict
              returned: always
              sample: {"1480": 12}
        configured:
          description: What was configured or worked out by Calico.
          type: dict
          returned: always
          contains:
            calico_mtu_file:
              description: The pods' MTU as Felix wrote it for the CNI plugin.
              type: int
              returned: if the file exists
              sample: 1480
            cni:
              description: The CNI configuration in force, its I(path) and the I(mtu) it sets. V(0) means that
                Calico's file decides.
              type: dict
              returned: if there is one
              sample: {"path": "/etc/cni/net.d/10-calico.conflist", "mtu": 0}
        tunnels:
          description: Calico's and flannel's tunnel devices with I(name), I(kind) as the kernel calls it, I(mtu),
            I(up) and I(address).
          type: list
          elements: dict
          returned: always
          sample: [{"name": "tunl0", "kind": "ipip", "mtu": 1480, "up": true, "address": "10.244.9.0"}]
        encapsulation:
          description: The costliest encapsulation in use on this node, its I(kind) (V(none), V(ipip), V(vxlan),
            V(wireguard)), its I(overhead) in bytes and I(why) it is taken to be in use.
          type: dict
          returned: if the interfaces could be read
          sample: {"kind": "ipip", "overhead": 20, "why": "bird.cfg sends routes into tunl0"}
        required:
          description: What the network between nodes must carry, the pods' MTU plus the overhead.
          type: int
          returned: if the pods' MTU is known
          sample: 1500
        automatic:
          description:
            - What Felix would work out on this node where nothing else is set, by the environment of calico-node and
              the ways of its version.
            - What FelixConfiguration sets cannot be seen on the node.
          type: dict
          returned: if the interfaces could be read
          sample: {"host": 1500, "interface": "eth0", "pods": 1480}
          contains:
            host:
              description: The host's MTU as Felix sees it, the smallest of the interfaces whose names it looks for, or
                V(1460) if there is none.
              type: int
              returned: always
            interface:
              description: The interface that decides.
              type: str
              returned: if there is one
            why:
              description: What there is to say of the choice.
              type: str
              returned: if it is not plain
            undecided:
              description: V(true) if releases differ in it and the version is not known.
              type: bool
              returned: if so
            pods:
              description: The MTU that pods would get.
              type: int
              returned: always
            set:
              description: MTUs that the environment of calico-node sets, by tunnel device.
              type: dict
              returned: if it sets any
              sample: {"tunl0": 1440}
            differs:
              description: What has another MTU than this. Names of tunnel devices, V(calico_mtu_file), V(cni),
                V(workloads).
              type: list
              elements: str
              returned: if something has
              sample: [tunl0, calico_mtu_file]
        routes:
          description: MTUs that the kernel's routes to peers have of their own, equal ones together, at most 8.
          type: list
          elements: dict
          returned: if there are any
          contains:
            device:
              description: The interface.
              type: str
              returned: always
            gateway:
              description: The router.
              type: str
              returned: if there is one
            kind:
              description: V(learnt) if a router asked for it, V(locked) if the kernel may not go below it, else
                V(route).
              type: str
              returned: always
            mtu:
              description: The MTU.
              type: int
              returned: if there is one
            advmss:
              description: The segment size that TCP offers.
              type: int
              returned: if it is set
            expires_seconds:
              description: When the kernel forgets it.
              type: int
              returned: if it is learnt
            count:
              description: To how many peers.
              type: int
              returned: always
            peer:
              description: One of them.
              type: str
              returned: always
        paths_left_out:
          description: How many more classes of path there are, which were not measured.
          type: int
          returned: if there are more than 16
          sample: 4
        paths:
          description: What was measured, one entry for each class of path, of the 16 with the most peers.
          type: list
          elements: dict
          returned: always
          contains:
            class:
              description: The class of path.
              type: str
              returned: always
              sample: eth0 via 10.200.1.254 to 10.200.2.0/24
            peer:
              description: The peer that was asked.
              type: str
              returned: always
              sample: 10.200.2.10
            wanted:
              description: The MTU of the interface or route.
              type: int
              returned: always
              sample: 1500
            carries:
              description: The largest packet that arrived. V(none) if no peer answered.
              type: int
              returned: always
              sample: 1400
            result:
              description:
                - V(ok) if the path carries what is wanted, V(smaller) if it does not.
                - V(local) if it does, and that is still less than required because of this node's own interface.
                - V(silent) if none of three peers answered, V(error) if nothing could be sent.
              type: str
              returned: always
              sample: smaller
            reported_by:
              description: The router that said what it carries. Empty if larger packets just vanish.
              type: str
              returned: always
              sample: 10.200.1.254
            detail:
              description: Why nothing could be sent.
              type: str
              returned: if RV(ansible_facts.calico_mtu.paths[].result) is V(error)
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._facts import node, options


def main() -> None:
    """Gather the facts and return them."""
    module = AnsibleModule(
        argument_spec=options.spec("timeout", *options.BIRD, *options.PROBES), supports_check_mode=True
    )
    problem = options.out_of_range(module.params)
    if problem:
        module.fail_json(msg=problem)
    module.exit_json(changed=False, ansible_facts=node.gather(module.params, ("mtu",)))


if __name__ == "__main__":
    main()
