# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of what was tried on a node and how it went.

Facts without their sources are worth little: "no session" and "could not ask" look alike. Every gatherer therefore
writes down each thing it tried, and one that breaks down leaves an entry and not a hole in the others.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    T = TypeVar("T")

_DETAIL_LIMIT = 300


class Sources:
    """Collects one entry per source name. A later entry for the same name replaces the earlier one."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, str]] = {}

    def ok(self, name: str, detail: str = "") -> None:
        """Note that `name` was read and understood."""
        self._put(name, "ok", detail)

    def absent(self, name: str, detail: str) -> None:
        """Note that `name` does not exist on this node. That may be quite right, which is not for a source to say."""
        self._put(name, "absent", detail)

    def failed(self, name: str, detail: str) -> None:
        """Note that `name` exists, or may exist, and could not be read."""
        self._put(name, "failed", detail)

    def unrecognised(self, name: str, detail: str) -> None:
        """Note that `name` was read but holds something this version cannot interpret."""
        self._put(name, "unrecognised", detail)

    def unread(self, name: str, lines: Sequence[tuple[int, str]], where: str = "") -> None:
        """Note that `name` was read but for these lines (see _unread); nothing if there are none. What failed stays
        so."""
        if lines and self.status(name) != "failed":
            from .._unread import said

            self.unrecognised(name, f"{where}: {said(lines)}" if where else said(lines))

    def guard(self, name: str, gather: Callable[[], T], default: T) -> T:
        """Return gather(), or `default` after noting `name` as failed if it raised anything at all.

        This is the one place where everything is caught: whatever goes wrong in one gatherer, the others still report.
        """
        try:
            return gather()
        except Exception as error:  # noqa: BLE001
            self.failed(name, f"{type(error).__name__}: {error}")
            return default

    def status(self, name: str) -> str:
        """Return 'ok', 'absent', 'failed' or 'unrecognised'; '' if nothing was noted under `name`."""
        return self._entries.get(name, {}).get("status", "")

    def as_list(self) -> list[dict[str, str]]:
        """Return the entries as plain data, in the order in which the sources were first tried."""
        return [dict(entry) for entry in self._entries.values()]

    def _put(self, name: str, status: str, detail: str) -> None:
        self._entries[name] = {"source": name, "status": status, "detail": " ".join(detail.split())[:_DETAIL_LIMIT]}
