# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of host_change, for the module and for the action plugin that goes around it."""

from __future__ import annotations

import os
import pwd
import socket

from . import kinds
from .transaction import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

STATES = ("applied", "confirmed", "undone", "status")
_TYPES = {"position": "int", "pid": "int", "started": "int", "enabled": "bool", "if_changed": "bool", "folder": "bool"}


def spec() -> dict[str, Any]:
    """Return the argument spec."""
    return {
        "id": {"type": "str", "required": True},
        "state": {"type": "str", "choices": list(STATES), "default": "applied"},
        "confirm_within": {"type": "int", "default": 60},
        "holder": {"type": "str", "default": ""},
        "keep": {"type": "bool", "default": True},
        "gate": {"type": "bool", "default": True},
        "expect": {"type": "list", "elements": "str", "default": []},
        "gate_seconds": {"type": "int", "default": 40},
        "wait": {"type": "bool", "default": True},
        "changes": {"type": "list", "elements": "dict", "default": [], "options": _change()},
    }


def _change() -> dict[str, Any]:
    found: dict[str, Any] = {"kind": {"type": "str", "required": True, "choices": list(kinds.KINDS)}}
    for kind in kinds.KINDS.values():
        for name in (*kind.required, *kind.optional):
            found[name] = {"type": _TYPES.get(name, "str")}
            if name in kinds.CHOICES:
                found[name]["choices"] = list(kinds.CHOICES[name])
    found["key"]["no_log"] = False  # the name of a sysctl
    found["opens"] = {"type": "list", "elements": "dict"}
    return found


def request(params: Mapping[str, Any], check: bool) -> Request:
    """Return the call that the module's parameters describe."""
    return Request(
        params["id"],
        [{name: value for name, value in change.items() if value is not None} for change in params["changes"]],
        params["confirm_within"],
        params["holder"] or default_holder(),
        check,
        params["wait"],
        params["gate"] or bool(params["expect"]),
    )


def default_holder() -> str:
    """Return user and host of this process."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"
