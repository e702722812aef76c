# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All kinds of changes, and the changes of one call made of their options.

All are imported here: when a change is undone, the files that this code came from may be gone.
"""

from __future__ import annotations

from .kind_calico_service import CalicoService
from .kind_file import File
from .kind_firewalld import FirewalldRule
from .kind_iptables import IptablesRule
from .kind_kernel import Module, Sysctl
from .kind_nft import NftRule
from .kind_offload import Offload
from .kind_process import Bird, Signal
from .kind_saved import SavedRule
from .kind_saved_sysctl import SavedSysctl
from .kind_service import Service
from .kind_ufw import UfwRule
from .model import Kind, RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

KINDS: dict[str, type[Kind]] = {
    kind.name: kind
    for kind in (
        IptablesRule,
        NftRule,
        UfwRule,
        FirewalldRule,
        SavedRule,
        File,
        Sysctl,
        SavedSysctl,
        Module,
        Offload,
        Service,
        CalicoService,
        Bird,
        Signal,
    )
}
# What an option may be, of whichever kind.
CHOICES = {
    "state": ("present", "absent"),
    "program": tuple(f"{six}tables{backend}" for six in ("ip", "ip6") for backend in ("", "-nft", "-legacy")),
    "action": ("allow", "deny", "reject", "limit"),
    "direction": ("in", "out"),
    "run": ("started", "stopped", "restarted", "reloaded"),
    "signal": ("HUP", "TERM", "KILL", "USR1"),
    "command": ("configure", "restart", "reload", "enable", "disable"),
}
_TYPES: dict[str, type] = {
    **dict.fromkeys(("position", "pid", "started"), int),
    **dict.fromkeys(("enabled", "if_changed", "folder"), bool),
    "opens": list,
}


def make(changes: Sequence[Mapping[str, Any]]) -> list[Kind]:
    """Return the changes. Raises RefusedError for what none of them is, and for two about the same thing."""
    made: list[Kind] = []
    for number, change in enumerate(changes, 1):
        try:
            made.append(one(change))
        except RefusedError as error:  # noqa: PERF203
            raise RefusedError(f"change {number}: {error}") from None
    seen: dict[str, int] = {}
    for number, kind in enumerate(made, 1):
        if kind.subject in seen:
            raise RefusedError(f"changes {seen[kind.subject]} and {number} are about the same thing: {kind.subject}")
        seen[kind.subject] = number
    return made


def one(change: Mapping[str, Any]) -> Kind:
    """Return the change that one dict describes. Raises RefusedError."""
    name = change.get("kind")
    if not isinstance(name, str) or name not in KINDS:
        raise RefusedError(f"{name!r} is none of the kinds {', '.join(KINDS)}")
    kind = KINDS[name]
    given = {key: value for key, value in change.items() if key != "kind" and value is not None}
    for key, value in given.items():
        if key not in kind.required and key not in kind.optional:
            raise RefusedError(f"{name} has no option {key}")
        _check(name, key, value)
    missing = [key for key in kind.required if given.get(key) in (None, "")]
    if missing:
        raise RefusedError(f"{name} lacks {' and '.join(missing)}")
    return kind(given)


def _check(name: str, key: str, value: Any) -> None:
    wanted = _TYPES.get(key, str)
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise RefusedError(f"{name}: {key} is no {wanted.__name__}")
    if key in CHOICES and value not in CHOICES[key]:
        raise RefusedError(f"{name}: {key} is {value!r}, and none of {', '.join(CHOICES[key])}")
    if isinstance(value, str) and key != "content" and ("\0" in value or "\n" in value):
        raise RefusedError(f"{name}: {key} has more than one line")
