# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts that a filter is asked about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import plain


def names(hostvars: Any, hosts: Any, asked: str) -> list[str]:
    """Return the names of hosts, once it is sure that they are names of hosts. ValueError with a sentence for the
    operator, which calls the filter by its name (asked)."""
    if not isinstance(hostvars, Mapping):
        raise ValueError(f"{asked} wants the variables of all hosts, such as hostvars")
    found = plain.listed(hosts)
    if not isinstance(found, (list, tuple)) or any(name not in hostvars for name in found):
        raise ValueError(f"{asked} wants the names of hosts that are in the inventory, as a list")
    return [str(name) for name in found]
