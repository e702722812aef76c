#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about a host, and a temporary listener for the probes of the others."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_listen
short_description: Gather facts and start a temporary listener for the probes of other hosts
version_added: 1.2.0
author: netmedic.calico contributors (@netmedic)
description:
  - Gathers the facts of M(netmedic.calico.node_facts) without sending a packet, and starts a process that hears and
    answers the probes of M(netmedic.calico.preflight_probe) on other hosts.
  - The listener ends by itself once it has probed and was heard by all, when it is told to, and at its deadline in
    every case. It does not depend on the connection or on the controller. Nothing is installed, and no rule is changed.
  - It holds ports on which nothing listens. A port that a program has is left alone and told. On a host with a trace of
    Calico no port is held at all, for its BIRD may want one at any moment; probes are heard all the same.
  - Nobody can connect to a held port. Only packets that carry the listener's own token are looked at or answered.
notes:
  - Run it as root. Other users may not open raw sockets. The facts then say so.
options:
  tcp_ports:
    description: The TCP ports that others will probe.
    type: list
    elements: int
    default: [179, 5473]
  udp_ports:
    description: The UDP ports that others will probe.
    type: list
    elements: int
    default: [4789, 8472]
  ipip:
    description: Whether others will send IPIP, IP protocol 4.
    type: bool
    default: true
  listen_seconds:
    description: After so many seconds the listener ends, whatever else.
    type: int
    default: 300
extends_documentation_fragment:
  - netmedic.calico.harmless
  - netmedic.calico.facts
  - netmedic.calico.facts.log
  - netmedic.calico.facts.peers
  - netmedic.calico.facts.reach
seealso:
  - module: netmedic.calico.preflight_probe
  - module: netmedic.calico.node_facts
"""

EXAMPLES = r"""
- name: Listen for what VXLAN needs
  netmedic.calico.preflight_listen:
    tcp_ports: [5473]
    udp_ports: [4789]
    ipip: false
    listen_seconds: 120
  become: true
"""

RETURN = r"""
ansible_facts:
  description: The facts.
  returned: always
  type: complex
  contains:
    calico_preflight:
      description: The listener.
      returned: always
      type: dict
      contains:
        schema:
          description: Version of this shape.
          type: int
          returned: always
          sample: 1
        calico:
          description: Whether there is a trace of Calico or Canal on the host, so that no port is held.
          type: bool
          returned: always
        problem:
          description: Why there is no listener.
          type: str
          returned: if there is none
          sample: Raw sockets need root (the capability CAP_NET_RAW), which this process lacks.
        problems:
          description: What cannot be listened to.
          type: list
          elements: str
          returned: if there is any
        pid:
          description: The listener's process.
          type: int
          returned: if there is a listener
          sample: 4711
        folder:
          description: Where it is asked.
          type: str
          returned: if there is a listener
          sample: /run/netmedic-preflight-x2kq0_ab
        token:
          description: What its probes must carry. It is good for this listener alone.
          type: str
          returned: if there is a listener
          sample: 00112233aabbccdd
        seconds:
          description: After how many seconds it ends in any case.
          type: int
          returned: if there is a listener
          sample: 300
        ports:
          description:
            - Ports that the listener does not hold, with I(protocol), I(port), I(state) (V(taken) by another program or
              the kernel, V(left) to Calico, V(failed) for the reason in I(detail)), I(ipv6) if so, and I(process) and
              I(pid) of the program that has it.
          type: list
          elements: dict
          returned: if there are any
          sample: [{"protocol": "tcp", "port": 179, "state": "taken", "process": "bgpd", "pid": 812}]
    calico_node:
      description: See RV(netmedic.calico.node_facts#module:ansible_facts.calico_node).
      returned: always
      type: dict
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
from ..module_utils._host import processes
from ..module_utils._preflight import options as preflight_options
from ..module_utils._preflight import start


def main() -> None:
    """Gather the facts, start the listener, and return both."""
    spec = dict(options.spec("timeout", "log_window", "peers", "readiness_reach"), **preflight_options.OPTIONS)
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    problem = options.out_of_range(module.params) or preflight_options.out_of_range(module.params)
    if problem:
        module.fail_json(msg=problem)
    facts = node.gather(dict(module.params, probe=False, readiness=True))
    facts["calico_preflight"] = start.from_options(module.params, processes.walk())
    module.exit_json(changed=False, ansible_facts=facts)


if __name__ == "__main__":
    main()
