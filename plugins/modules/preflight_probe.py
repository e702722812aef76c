#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin preflight_probe."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_probe
short_description: Have a host's temporary listener probe the other hosts, or end
version_added: 1.2.0
author: netmedic.calico contributors (@netmedic)
description:
  - Asks the listener that M(netmedic.calico.preflight_listen) has started on the host. One command of the host's shell
    does it, no module is sent, so that it costs little.
  - Sends half-open SYNs, UDP datagrams, IPIP packets and ICMP echoes, and only to the addresses in O(plan). No
    connection is ever opened. See M(netmedic.calico.preflight_listen) for what is answered.
extends_documentation_fragment: netmedic.calico.harmless
options:
  do:
    description: V(probe) probes all others, V(stop) ends the listener and returns whom it has heard.
    type: str
    choices: [probe, stop]
    default: probe
  plan:
    description:
      - Who is probed, as P(netmedic.calico.preflight#filter) returns it for the step V(probe). A host that is not in
        it has its listener stopped.
    type: dict
    default: {}
  listener:
    description: The listener, as RV(netmedic.calico.preflight_listen#module:ansible_facts.calico_preflight).
    type: dict
    default: {}
seealso:
  - module: netmedic.calico.preflight_listen
  - plugin: netmedic.calico.preflight
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Probe all others
  netmedic.calico.preflight_probe:
    plan: "{{ preflight_plan }}"
    listener: "{{ calico_preflight }}"
  become: true

- name: End the listener
  netmedic.calico.preflight_probe:
    do: stop
    listener: "{{ calico_preflight }}"
  become: true
"""

RETURN = r"""
ways:
  description:
    - By way (V(tcp179), V(udp4789), V(ipip); those of IPv6 end on V(/6)) and result the hosts, by their numbers in the
      plan as the bits of a hexadecimal number. Results are V(open), V(answered) (by somebody else), V(reset),
      V(rejected), V(silent), V(error) and V(not_tried).
  type: dict
  returned: if it has probed
  sample: {"tcp179": {"open": "e"}}
details:
  description: The first odd results with who refused, or why nothing was sent.
  type: list
  elements: dict
  returned: if there are any
mtu:
  description: By the size wanted the hosts to which the path carries it (V(ok)), or that did not answer (V(silent)),
    and what other paths carry (V(smaller)).
  type: dict
  returned: if it has probed
heard:
  description: By way whom the listener has heard V(before) and V(behind) the host's packet filter, and the addresses of
    those whose packets came from another one than their own (V(other_senders)).
  type: dict
  returned: if the listener answered
problems:
  description: What could not be done.
  type: list
  elements: str
  returned: if there is any
"""
