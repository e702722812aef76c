# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The listener's options, for the module and for the action plugin."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

OPTIONS: dict[str, dict[str, Any]] = {
    "tcp_ports": {"type": "list", "elements": "int", "default": [179, 5473]},
    "udp_ports": {"type": "list", "elements": "int", "default": [4789, 8472]},
    "ipip": {"type": "bool", "default": True},
    "listen_seconds": {"type": "int", "default": 300},
}
_GREATEST_PORT = 65535
_MOST_PORTS = 32
_LONGEST = 3600


def out_of_range(params: Mapping[str, Any]) -> str:
    """Return what is wrong with the options' values, '' if nothing is."""
    for name in ("tcp_ports", "udp_ports"):
        wrong = [port for port in params[name] if not 0 < port <= _GREATEST_PORT]
        if wrong:
            return f"{name} must be ports between 1 and {_GREATEST_PORT}, not {wrong[0]}."
        if len(params[name]) > _MOST_PORTS:
            return f"{name} must be {_MOST_PORTS} ports at most, not {len(params[name])}."
    if not 0 < params["listen_seconds"] <= _LONGEST:
        return f"listen_seconds must be between 1 and {_LONGEST}, not {params['listen_seconds']}."
    return ""
