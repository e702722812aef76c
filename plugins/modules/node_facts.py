#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All facts about a Calico node in one pass."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_facts
short_description: Gather all facts about a Calico node in one pass
version_added: 1.0.0
author: netmedic.calico contributors (@netmedic)
description:
  - Gathers in one pass what M(netmedic.calico.bgp_facts), M(netmedic.calico.firewall_facts),
    M(netmedic.calico.mtu_facts) and M(netmedic.calico.chrony_facts) gather, and facts about the node itself.
  - Changes nothing and disturbs nothing. No connection is ever opened to a peer, because BIRD takes one for the peer's
    restart and drops the session. Half-open SYN probes do not reach it, and go only to peers whose session is not
    established.
  - A source that is absent, fails or hangs is reported as such and costs its own facts only.
  - The facts are small. Details are returned of what is wrong, the rest is counted and packed.
notes:
  - Run it as root. Other users may not use BIRD's socket, read the firewall's rules or send probes. The facts then
    say so.
extends_documentation_fragment:
  - netmedic.calico.facts
  - netmedic.calico.facts.bird
  - netmedic.calico.facts.log
  - netmedic.calico.facts.probe
  - netmedic.calico.facts.rate
  - netmedic.calico.facts.peers
seealso:
  - module: netmedic.calico.bgp_facts
  - module: netmedic.calico.firewall_facts
  - module: netmedic.calico.mtu_facts
  - module: netmedic.calico.chrony_facts
"""

EXAMPLES = r"""
- name: Gather all facts
  netmedic.calico.node_facts:
  become: true

- name: Gather all facts, and look also at two nodes that should be peers
  netmedic.calico.node_facts:
    peers:
      - 10.200.0.11
      - 10.200.0.12
  become: true

- name: Gather all facts without sending a packet to other nodes
  netmedic.calico.node_facts:
    probe: false
  become: true
"""

RETURN = r"""
ansible_facts:
  description: The facts.
  returned: always
  type: complex
  contains:
    calico_node:
      description: Facts about the node itself. Keys whose value is unknown are left out.
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
          sample: [{"source": "netlink", "status": "ok", "detail": ""}]
        nodename:
          description: The name by which Calico knows the node.
          type: str
          returned: always
          sample: node-1
        nodename_source:
          description: Where that comes from, V(file) for C(/var/lib/calico/nodename) or V(hostname).
          type: str
          returned: always
          sample: file
        hostname:
          description: The host's name.
          type: str
          returned: always
          sample: node-1
        boot_id:
          description: A name of this boot.
          type: str
          returned: if known
        uptime_seconds:
          description: How long ago the node booted.
          type: int
          returned: if known
          sample: 86400
        kernel:
          description: The kernel's release.
          type: str
          returned: always
          sample: 6.1.0-30-amd64
        os:
          description: The operating system and its version.
          type: str
          returned: if known
          sample: debian 12
        python:
          description: The Python that ran this module.
          type: str
          returned: always
          sample: 3.11.2
        privileged:
          description: Whether the module ran as root.
          type: bool
          returned: always
          sample: true
        addresses:
          description: Addresses by which other nodes might know this one, each with I(address), I(prefix),
            I(interface), I(scope) and whether the interface is I(up). Pods' and container bridges' interfaces are
            left out.
          type: list
          elements: dict
          returned: if they could be read
          sample: [{"address": "10.200.0.9", "prefix": 24, "interface": "eth0", "scope": "global", "up": true}]
        addresses_left_out:
          description: How many more there are.
          type: int
          returned: if there are more than 32
        bgp_addresses:
          description: By family, the address which this node's BIRD takes for its own.
          type: dict
          returned: always
          sample: {"ipv4": "10.200.0.9"}
        calico:
          description: What runs of Calico.
          type: dict
          returned: always
          contains:
            backend:
              description: The networking backend, V(bird), V(vxlan), V(none) or V(unknown).
              type: str
              returned: always
              sample: bird
            backend_source:
              description: What tells it.
              type: str
              returned: if something does
              sample: CALICO_NETWORKING_BACKEND of process 2301 (calico-node)
            version:
              description: The tag of the image that calico-node runs from.
              type: str
              returned: if the container runtime's description of it can be read
              sample: v3.28.1
            felix_running:
              description: Whether Felix runs.
              type: bool
              returned: always
              sample: true
            confd_running:
              description: Whether confd runs.
              type: bool
              returned: always
              sample: true
            calico_node_started_seconds_ago:
              description: How long ago calico-node started.
              type: int
              returned: if it runs
              sample: 3600
        duration_seconds:
          description: How long the pass took.
          type: float
          returned: always
          sample: 0.3
        cpu_seconds:
          description: Processor time of the module and the programs that it ran.
          type: float
          returned: always
          sample: 0.2
    calico_bgp:
      description: See RV(netmedic.calico.bgp_facts#module:ansible_facts.calico_bgp).
      returned: always
      type: dict
    calico_firewall:
      description: See RV(netmedic.calico.firewall_facts#module:ansible_facts.calico_firewall).
      returned: always
      type: dict
    calico_mtu:
      description: See RV(netmedic.calico.mtu_facts#module:ansible_facts.calico_mtu).
      returned: always
      type: dict
    calico_chrony:
      description: See RV(netmedic.calico.chrony_facts#module:ansible_facts.calico_chrony).
      returned: always
      type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._facts import node, options


def main() -> None:
    """Gather the facts and return them."""
    module = AnsibleModule(argument_spec=options.spec(*options.OPTIONS), supports_check_mode=True)
    problem = options.out_of_range(module.params)
    if problem:
        module.fail_json(msg=problem)
    module.exit_json(changed=False, ansible_facts=node.gather(module.params))


if __name__ == "__main__":
    main()
