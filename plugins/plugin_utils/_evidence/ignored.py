# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of an inventory that are no Linux machines, such as Windows nodes and switches: nothing is read there.

What the inventory says of them decides, else the Kubernetes API. No connection is made to find out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._cluster import objects
from . import cluster, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._cluster.model import Cluster, KubeNode

# The variables of a host that are looked at.
VARIABLES = ("ansible_connection", "ansible_shell_type", "ansible_network_os")
_WINDOWS_CONNECTIONS = ("winrm", "psrp", "aws_ssm_windows")
_WINDOWS_SHELLS = ("powershell", "cmd")
_DEVICE_CONNECTIONS = ("network_cli", "netconf", "httpapi", "napalm", "grpc")


def ignored(hostvars: Mapping[str, Any], hosts: Iterable[str], known: Cluster | None = None) -> dict[str, str]:
    """By name why nothing is read on a host; those that are read are not among them.

    known: what the API told, where that has been read already.
    """
    names = list(hosts)
    # Facts of the API that are too old to be diagnosed by still tell which system a node runs.
    nodes = _nodes(known if known and known.nodes else objects.read(cluster.fact_of(hostvars, names)))
    found = {}
    for name in names:
        variables = hostvars[name]
        why = _why(variables, nodes.get(name) or nodes.get(plain.text(variables.get("ansible_host"))))
        if why:
            found[name] = why
    return found


def _nodes(known: Cluster) -> dict[str, KubeNode]:
    """Nodes of Kubernetes by their names and by their addresses."""
    nodes = known.nodes.values()
    found = {address: node for node in nodes for address in node.internal_addresses}
    found.update({node.name: node for node in nodes})
    return found


def _why(variables: Mapping[str, Any], node: KubeNode | None) -> str:
    # Names of a collection's plugins are qualified: ansible.netcommon.network_cli.
    connection = plain.text(variables.get("ansible_connection"))
    kind = connection.rpartition(".")[2]
    if kind in _WINDOWS_CONNECTIONS:
        return f"a Windows host, by ansible_connection {connection}"
    shell = plain.text(variables.get("ansible_shell_type"))
    if shell.rpartition(".")[2] in _WINDOWS_SHELLS:
        return f"a Windows host, by ansible_shell_type {shell}"
    if node is not None and node.operating_system:
        return "a Windows node, by the Kubernetes API" if node.operating_system == "windows" else ""
    if kind in _DEVICE_CONNECTIONS:
        return f"a network device, by ansible_connection {connection}"
    system = plain.text(variables.get("ansible_network_os"))
    return f"a network device, by ansible_network_os {system}" if system else ""
