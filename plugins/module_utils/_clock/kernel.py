# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's own word on whether its clock is disciplined: adjtimex() that changes nothing."""

from __future__ import annotations

import struct

_STA_UNSYNC = 0x0040
_STRUCT_TIMEX = 208  # bytes on every 64-bit Linux; less on 32-bit


def synchronised() -> bool | None:
    """Say whether something disciplines the kernel's clock; None if it cannot be asked (Python without ctypes).

    A daemon that was told to leave the clock alone (chronyd -x) does not count for the kernel.
    """
    try:
        import ctypes

        call = ctypes.CDLL(None).adjtimex
    except (ImportError, OSError, AttributeError):
        return None
    buffer = ctypes.create_string_buffer(_STRUCT_TIMEX * 2)  # modes, the first word, is 0: only read
    if call(buffer) < 0:
        return None
    # struct timex: modes (int), offset, freq, maxerror, esterror (long), status (int); native alignment.
    return not struct.unpack_from("@iLLLLi", buffer.raw)[5] & _STA_UNSYNC
