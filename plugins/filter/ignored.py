# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ignored: which hosts of an inventory are no Linux machines, so that nothing is read there."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import ignored as evidence
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import named_hosts

DOCUMENTATION = r"""
name: ignored
short_description: Tell which hosts of an inventory are no Linux machines
version_added: 1.3.0
author: netmedic.calico contributors
description:
  - Names Windows nodes and network devices, at which nothing is read, and says why each is taken for one.
  - A host is a Windows node by C(ansible_connection) (V(winrm), V(psrp)), by C(ansible_shell_type) (V(powershell),
    V(cmd)), or because the Kubernetes API says so of the Node of its name or address.
  - A host is a network device by C(ansible_connection) (V(network_cli), V(netconf), V(httpapi) and others) or
    C(ansible_network_os), unless the API has a Node of its name or address.
  - No connection is made to find out.
positional: hosts
options:
  _input:
    description: The variables of all hosts, usually C(hostvars).
    type: dict
    required: true
  hosts:
    description: The names of the hosts to look at.
    type: list
    elements: str
    required: true
seealso:
  - plugin: netmedic.calico.classify
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Read the others
  netmedic.calico.node_facts:
  when: inventory_hostname not in (hostvars | netmedic.calico.ignored(ansible_play_hosts_all))
"""

RETURN = r"""
_value:
  description: By the names of these hosts why each is one, in half a sentence. Other hosts are not in it.
  type: dict
"""


def ignored(hostvars: Any, hosts: Any) -> dict[str, str]:
    """The hosts that are no Linux machines."""
    try:
        names = named_hosts.names(hostvars, hosts, "ignored")
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error
    return evidence.ignored(hostvars, names)


class FilterModule:
    """Filter registration."""

    def filters(self) -> dict[str, Any]:
        """The filters of this file."""
        return {"ignored": ignored}
