# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter parse_text: what the output of a program says, as data."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import kinds

DOCUMENTATION = r"""
name: parse_text
short_description: Read the output of a program as data
version_added: 1.0.0
author: netmedic.calico contributors
description:
  - Reads what C(ip), C(ss), C(birdcl), C(calicoctl), C(kubectl), C(chronyc) and other programs printed, of many
    releases, as text or JSON, and returns it as data.
  - The kind of output is recognised by its content. Prompts, colours, byte order marks and the indentation of quoted
    code around it do no harm.
  - It never fails because of a text. What could not be read is listed with its line.
positional: kind
options:
  _input:
    description: The text.
    type: str
    required: true
  kind:
    description:
      - What kind of text it is. Empty to find out.
      - C(objects), which are Kubernetes' or Calico's in YAML or JSON, are only recognised, not read.
    type: str
    default: ''
    choices:
      - ''
      - api-error
      - bird.cfg
      - birdcl-protocols
      - birdcl-route
      - birdcl-status
      - calicoctl-get-ippools
      - calicoctl-get-nodes
      - calicoctl-ipam-show
      - calicoctl-node-status
      - chronyc-sources
      - chronyc-tracking
      - connect
      - daemonsets
      - describe
      - events
      - firewalld
      - ip-addr
      - ip-link
      - ip-neigh
      - ip-route
      - ip-rule
      - ipset
      - iptables-list
      - iptables-save
      - iptables-version
      - log
      - lookup
      - modules
      - netstat
      - network-unit
      - networkctl
      - nft-ruleset
      - nmcli
      - nodes
      - ntpq
      - os-release
      - ping
      - pods
      - probes
      - processes
      - sockets
      - sysctl
      - systemctl-status
      - tcpdump
      - tigerastatus
      - timedatectl
      - trace
      - ufw-status
      - uname
  name:
    description: The name of the file that the text is from. It decides only where the content leaves a choice.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Ask a network device's neighbour for its sessions
  ansible.builtin.command: birdc show protocols all
  register: bird
  changed_when: false

- name: Show which sessions are not established
  ansible.builtin.debug:
    msg: >-
      {{ (bird.stdout | netmedic.calico.parse_text).value.sessions
         | rejectattr('bgp_state', 'eq', 'Established') | map(attribute='peer') }}

- name: Show who listens on BGP's port, from a file
  ansible.builtin.debug:
    msg: >-
      {{ (lookup('ansible.builtin.file', 'sockets.txt') | netmedic.calico.parse_text(kind='sockets')).value
         | selectattr('socket.local_port', 'eq', 179) }}
"""

RETURN = r"""
_value:
  description: What was read.
  type: dict
  contains:
    kind:
      description: What kind of text it is, as O(kind) has them, C(objects), or empty if it was not recognised.
      type: str
    value:
      description: What the text says, by its kind; V(null) if nothing reads it.
      type: raw
    problems:
      description: What could not be read, at most 21 of it.
      type: list
      elements: dict
      contains:
        line:
          description: The number of the line, from 1; 0 for the text as a whole.
          type: int
        text:
          description: The beginning of the line.
          type: str
        why:
          description: What is wrong with it.
          type: str
"""


def parse_text(text: Any, kind: Any = "", name: Any = "") -> dict[str, Any]:
    """The kind, value and problems of a text."""
    if not isinstance(text, str):
        raise AnsibleFilterError(f"parse_text wants a text, not {type(text).__name__}")
    # Templates write kind=none for a kind that nobody knows.
    wanted, hint = ("" if given is None else str(given) for given in (kind, name))
    if wanted and wanted not in kinds.PARSERS:
        raise AnsibleFilterError(f"parse_text knows no texts of kind {wanted!r}; it knows {', '.join(kinds.PARSERS)}")
    found, parsed = kinds.parse(text, wanted, hint)
    return {"kind": found, "value": kinds.plain(parsed.value, kind=found), "problems": kinds.plain(parsed.problems)}


class FilterModule:
    """Filter registration."""

    def filters(self) -> dict[str, Any]:
        """The filters of this file."""
        return {"parse_text": parse_text}
