# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How full the connection tracking table is, and what it had to drop.

A full table drops packets of new connections ("nf_conntrack: table full, dropping packet"), BGP's as well as pods'.
Packets that fit no connection count as invalid, and rules of Felix, kube-proxy, ufw and others drop these.
"""

from __future__ import annotations

import os

from .._numbers import is_whole
from .counters import parse_statistics
from .processes import read_text

_SYSCTL = "sys/net/netfilter/nf_conntrack_"
_STATISTICS = "net/stat/nf_conntrack"
COUNTERS = ("insert_failed", "drop", "early_drop", "invalid")


def size(proc_root: str = "/proc") -> dict[str, int]:
    """Return {"count": n, "max": n}, and tcp_be_liberal if that is on; nothing where connections are not tracked."""
    found: dict[str, int] = {}
    for name in ("count", "max"):
        text = read_text(os.path.join(proc_root, _SYSCTL + name), 32).strip()
        if is_whole(text):
            found[name] = int(text)
    if read_text(os.path.join(proc_root, _SYSCTL + "tcp_be_liberal"), 32).strip() not in ("", "0"):
        found["tcp_be_liberal"] = True
    return found


def losses(proc_root: str = "/proc", net_folder: str = "") -> dict[str, int]:
    """Return the counters of entries that could not be made: since boot, over all processors.

    Kernels without CONFIG_NF_CONNTRACK_PROCFS have no such file, then nothing is returned.
    """
    path = os.path.join(net_folder, "stat/nf_conntrack") if net_folder else os.path.join(proc_root, _STATISTICS)
    return parse_statistics(read_text(path), COUNTERS)
