# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kube-proxy on this host was told of masquerading, and whether its rules do it.

With masqueradeAll (--masquerade-all) whatever goes to a Service gets the node's own source address, pods' packets, too
(pkg/proxy/iptables/proxier.go, pkg/proxy/ipvs/proxier.go). What is marked for that keeps its mark inside a tunnel.
"""

from __future__ import annotations

import re

from .processes import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .processes import Process

_OPTION = re.compile(r"(?:--masquerade-all|(?:--kube-proxy-arg[= ])?masquerade-all)(?:=(\w+))?(?: |$)")
_SETTING = re.compile(r"^\s*[\"']?masqueradeAll[\"']?\s*:\s*true\b", re.MULTILINE)
_LIMIT = 1 << 16


def look(processes: Iterable[Process]) -> dict[str, Any]:
    """Return calico_node.host.kube_proxy: masquerade_all, and why that is known; {} unless it is on."""
    for process in processes:
        line = " ".join(process.argv)
        told = _OPTION.search(line)
        if told is not None and (told.group(1) or "true").lower() in ("true", "1", "t"):
            return {"masquerade_all": True, "why": f"{process.comm} (process {process.pid}) runs with --masquerade-all"}
        path = _config(line)
        if path and _SETTING.search(read_text(process.inside(path), _LIMIT)):
            return {"masquerade_all": True, "why": f"{path} of process {process.pid} says masqueradeAll: true"}
    return {}


def _config(line: str) -> str:
    found = re.search(r"--config[= ](\S+)", line)
    return found.group(1) if found is not None else ""
