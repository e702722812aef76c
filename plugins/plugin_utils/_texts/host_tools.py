# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of calico_node.host that only pasted outputs of a host's tools tell: who manages which interface, which
iptables is in use on the host and in calico-node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...module_utils._host.network_managers import NETWORKD
from . import managers, tool_versions

if TYPE_CHECKING:
    from collections.abc import Mapping

    Facts = dict[str, Any]

_SHOWN = ("networkctl.txt", "nmcli.txt")
_UNIT, _VERSION = ".network", "iptables-version"
# A file of this name was written in calico-node's container, not on the host.
_IN_CONTAINER = ("calico", "container", "felix", "image", "pod")
HOST, CALICO_NODE = "host", "calico-node"


def names(texts: Mapping[str, str]) -> list[str]:
    """Return the names of the texts that tell of this."""
    return [name for name in texts if name in _SHOWN or name.endswith(_UNIT) or _VERSION in name]


def look(texts: Mapping[str, str]) -> Facts:
    """Return network_managers and iptables_versions."""
    by_manager: dict[str, dict[str, list[str]]] = {}
    versions: dict[str, dict[str, str]] = {}
    for name in names(texts):
        if _VERSION in name:
            version = tool_versions.parse(texts[name]).value
            if version is not None:
                where = CALICO_NODE if any(word in name for word in _IN_CONTAINER) else HOST
                versions[where] = {"release": version.release, "backend": version.backend}
            continue
        told = managers.parse(texts[name]).value
        for manager, found in told.managed.items():
            by_manager.setdefault(manager, {}).setdefault("managed", []).extend(found)
        if told.file_takes_ours:
            by_manager.setdefault(NETWORKD, {}).setdefault("files", []).append(name)
    facts: Facts = {"network_managers": by_manager, "iptables_versions": versions}
    return {key: value for key, value in facts.items() if value}
