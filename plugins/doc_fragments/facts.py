# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fact modules' options and attributes mean. The options themselves are in module_utils/_facts/options.py."""

from __future__ import annotations


class ModuleDocFragment:
    """The sections are facts (attributes and the time limit, for every fact module), facts.bird, facts.log,
    facts.probe, facts.rate, facts.peers and facts.reach."""

    DOCUMENTATION = r"""
options:
  timeout:
    description: Seconds after which a source that does not answer is given up.
    type: int
    default: 5
attributes:
  facts:
    description: Returns facts under C(ansible_facts).
    support: full
  platform:
    description: Where the module runs.
    details: On nodes with Python 3.7 or later. Only M(netmedic.calico.node_facts) can do without Python there.
    platforms: linux
    support: full
"""

    BIRD = r"""
options:
  bird_socket:
    description:
      - Path of the control socket of the IPv4 daemon.
      - If empty, it is taken from the command line of the running BIRD, or looked for in the usual places.
    type: str
    default: ""
  bird6_socket:
    description: The same for the IPv6 daemon.
    type: str
    default: ""
"""

    LOG = r"""
options:
  log_window:
    description: How many seconds back BIRD's log is read.
    type: int
    default: 3600
"""

    PROBE = r"""
options:
  probe:
    description:
      - Whether packets are sent to other nodes.
      - Probes disturb nothing. No connection is ever opened to a peer, because BIRD takes one for the peer's restart
        and drops the session.
    type: bool
    default: true
  probe_timeout:
    description: Seconds to wait for the answer to a probe.
    type: float
    default: 1.0
"""

    RATE = r"""
options:
  probe_rate:
    description:
      - How many half-open SYN probes are sent per second at most, and as many ICMP echoes.
      - A probe that is not answered is repeated once.
    type: int
    default: 1000
"""

    PEERS = r"""
options:
  peers:
    description:
      - Addresses to look at besides the peers whose session is not established.
      - For nodes that should be peers of this one and that its BIRD knows nothing of. Where Calico runs without BIRD,
        other nodes are found by the tunnels and routes to them.
    type: list
    elements: str
    default: []
"""

    REACH = r"""
options:
  readiness_reach:
    description:
      - Destinations of which RV(netmedic.calico.node_facts#module:ansible_facts.calico_node.readiness) tells from which
        address the kernel would send there, as the method C(can-reach) of autodetection finds the node's address.
        Nothing is sent.
      - At most 4 are looked at.
    type: list
    elements: str
    default: []
"""
