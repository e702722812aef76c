# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the fact modules, in one place; their documentation is in the doc fragment facts."""

from __future__ import annotations

from .._inet import is_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OPTIONS: dict[str, dict[str, Any]] = {
    "peers": {"type": "list", "elements": "str", "default": []},
    "probe": {"type": "bool", "default": True},
    "probe_timeout": {"type": "float", "default": 1.0},
    "probe_rate": {"type": "int", "default": 1000},
    "timeout": {"type": "int", "default": 5},
    "bird_socket": {"type": "str", "default": ""},
    "bird6_socket": {"type": "str", "default": ""},
    "log_window": {"type": "int", "default": 3600},
    "texts": {"type": "bool", "default": False},
    "readiness": {"type": "bool", "default": False},
    "readiness_reach": {"type": "list", "elements": "str", "default": []},
}
# What bgp_facts takes, which is all but what is of the node as a whole.
BGP = tuple(name for name in OPTIONS if name not in ("texts", "readiness", "readiness_reach"))
BIRD = ("bird_socket", "bird6_socket")
PROBES = ("probe", "probe_timeout")


def spec(*names: str) -> dict[str, dict[str, Any]]:
    """Return the argument spec of a module with these options."""
    return {name: dict(OPTIONS[name]) for name in names}


def out_of_range(params: dict[str, Any]) -> str:
    """Return what is wrong with the options' values, '' if nothing is."""
    for name in ("probe_timeout", "probe_rate", "timeout", "log_window"):
        if name in params and not params[name] > 0:
            return f"{name} must be greater than 0, not {params[name]}."
    for peer in params.get("peers") or ():
        if not is_address(peer):
            return f"peers must be IPv4 or IPv6 addresses; {peer} is none."
    return ""
