# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which programs list the packet filters that the kernel has already: others would load what is not there."""

from __future__ import annotations

import os

from .._firewall import nft_kernel
from .._host import commands, kernel_modules
from .._host.processes import read_text
from .wanted import KIB, UFW, UFW_SWITCH, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST = 1024 * KIB
_LISTED = {"iptables": "ip_tables_names", "ip6tables": "ip6_tables_names"}


def programs(proc_root: str = "/proc") -> Iterator[Command]:
    """Yield iptables-save of both backends and families, as far as there are tables, and ufw if it is on."""
    nf_tables = nft_kernel.present(proc_root)
    for short, listing in _LISTED.items():
        plain = os.path.basename(os.path.realpath(commands.find_program(f"{short}-save") or "/"))
        legacy = f"{short}-legacy-save" if commands.find_program(f"{short}-legacy-save") else ""
        modern = f"{short}-nft-save" if commands.find_program(f"{short}-nft-save") else ""
        if not legacy and plain and "nft" not in plain:
            legacy = f"{short}-save"
        if nf_tables and (modern or "nft" in plain):
            yield Command(f"{short}-save.txt", (modern or f"{short}-save", "-c"), most=_MOST)
        if legacy and read_text(os.path.join(proc_root, "net", listing)).split():
            yield Command(f"{short}-save.txt", (legacy, "-c"), most=_MOST)
    path, switch = UFW_SWITCH
    if switch in read_text(path).lower().replace(switch.lower(), switch).split():
        yield UFW


def is_there(module: str) -> bool:
    """Say whether the kernel has this part already."""
    if module == "nf_tables":
        return nft_kernel.present()
    return kernel_modules.present(module) is True
