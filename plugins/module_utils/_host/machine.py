# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tells one machine from another beside its names: the identifiers that a copied disk or virtual machine shares
with its original.

machine-id(5) asks that the identifier be not shown to others: it, and the firmware's, leave this file only as digests,
by which two hosts can be compared and nothing else.
"""

from __future__ import annotations

import hashlib

from .processes import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_FILES = (
    ("machine_id", ("/etc/machine-id", "/var/lib/dbus/machine-id")),
    ("product_uuid", ("/sys/class/dmi/id/product_uuid", "/sys/firmware/devicetree/base/vm,uuid")),
)
_NAMESPACE = "netmedic.calico "
_DIGITS = 16
_MOST_INTERFACES = 8
_LIMIT = 128
# What firmware and images have in the place of an identifier.
_NOT_SET = ("", "uninitialized", "notsettable", "notspecified", "notpresent", "none", "tobefilledbyo.e.m.")
_NO_MAC = "00:00:00:00:00:00"


def identity(interfaces: Iterable[str], root: str = "") -> dict[str, Any]:
    """Return machine_id and product_uuid as digests and macs by interface; what is not set or may not be read is left
    out."""
    found: dict[str, Any] = {}
    for name, paths in _FILES:
        told = next(filter(None, (digest(root + path) for path in paths)), "")
        if told:
            found[name] = told
    macs = {}
    for interface in list(dict.fromkeys(interfaces))[:_MOST_INTERFACES]:
        mac = read_text(f"{root}/sys/class/net/{interface}/address", _LIMIT).strip().lower()
        if mac and mac != _NO_MAC:
            macs[interface] = mac
    if macs:
        found["macs"] = macs
    return found


def digest(path: str) -> str:
    """Return 16 hexadecimal digits for the identifier in a file, however it is spelt; '' if that holds none (unset, all
    one digit) or may not be read."""
    plain = "".join(read_text(path, _LIMIT).lower().split()).strip("\0")
    bare = plain.replace("-", "")
    if plain in _NOT_SET or len(set(bare)) < 2:
        return ""
    return hashlib.sha256((_NAMESPACE + bare).encode("utf-8", "replace")).hexdigest()[:_DIGITS]
