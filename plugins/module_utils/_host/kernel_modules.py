# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of the kernel is there already. A question to a part of it that is a module would load the module."""

from __future__ import annotations

import os

from .processes import read_bytes

_BUILTIN_LIMIT = 1 << 22


def present(name: str, proc_root: str = "/proc", modules_root: str = "/lib/modules") -> bool | None:
    """Say whether the module `name` is loaded or built in; None if nothing tells. A kernel without modules has what it
    has, and a question loads nothing: True."""
    listing = os.path.join(proc_root, "modules")
    if not os.path.exists(listing) or f"\n{name} ".encode() in b"\n" + read_bytes(listing):
        return True
    builtin = read_bytes(os.path.join(modules_root, os.uname().release, "modules.builtin"), _BUILTIN_LIMIT)
    return f"/{name}.ko".encode() in builtin if builtin else None
