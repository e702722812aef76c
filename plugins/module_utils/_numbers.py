# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which texts are numbers: str.isdigit() says yes to "²", and int() then raises, as it does for thousands of digits."""

from __future__ import annotations

# Nothing that a host counts has more. Newer Pythons refuse beyond 4,300 digits, older ones take quadratic time.
_MOST_DIGITS = 20


def is_whole(text: str) -> bool:
    """Say whether `text` is a number written in plain digits, so that int() reads it."""
    return len(text) <= _MOST_DIGITS and text.isdigit() and text.isascii()


def is_integer(text: str) -> bool:
    """Say whether `text` is such a number, or one with a minus or plus before it."""
    return is_whole(text[1:] if text[:1] in ("-", "+") else text)
