# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What calico-node was told about addresses and MTUs, from the environment of its processes.

A program that starts the others may have less of it than they.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._host.processes import Process

_ADDRESSES = ("IP", "IP6", "IP_AUTODETECTION_METHOD", "IP6_AUTODETECTION_METHOD")
_MTUS = (
    "FELIX_IPINIPMTU",
    "FELIX_VXLANMTU",
    "FELIX_VXLANMTUV6",
    "FELIX_WIREGUARDMTU",
    "FELIX_WIREGUARDMTUV6",
    "FELIX_MTUIFACEPATTERN",
)
# Names of the processes of calico-node's container, which all have its environment, those first that are no one else's.
_NAMES = ("calico-node", "calico-felix", "calico", "felix", "runsvdir", "runsv", "confd", "bird", "bird6")
_ALWAYS_SET = "PATH"  # tells "not set" from "may not be read"


def read(processes: Iterable[Process], wanted: Iterable[str] = (*_ADDRESSES, *_MTUS)) -> dict[str, str] | None:
    """Return the `wanted` variables of the first of Calico's processes that has any; None if none of these may be
    read."""
    ordered = sorted(
        processes, key=lambda process: _NAMES.index(process.comm) if process.comm in _NAMES else len(_NAMES)
    )
    known: dict[str, str] | None = None
    for process in ordered:
        found = process.environ((*wanted, _ALWAYS_SET))
        if found:
            known = {name: value for name, value in found.items() if name != _ALWAYS_SET}
            if known:
                break
    return known
