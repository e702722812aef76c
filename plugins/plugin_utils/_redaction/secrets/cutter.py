# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in texts, cut in all ways there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..people import People
from . import phrases, router_keys, spread, tables, told
from .cloud import Cloud
from .form import Form
from .kept import Kept
from .named import Named

if TYPE_CHECKING:
    from ..keyed import Keyed


class Secrets(Kept):
    """Cuts secrets, and keeps in memory what they were, to look for them elsewhere."""

    def __init__(self, keyed: Keyed) -> None:
        super().__init__()
        self._form, self._named, self._cloud, self._people = Form(self, keyed), Named(self), Cloud(keyed), People(keyed)

    def cut(self, text: str) -> str:
        """Return the text without secrets."""
        folded = text.lower()
        text = self._form.cut_whole(text, folded)
        text = spread.cut(text, folded, self)
        text = router_keys.cut(told.cut(text, folded, self), folded, self)
        text = phrases.cut(text, folded, self)
        text = tables.cut(text, folded, self)
        text = self._form.cut_rest(self._named.cut(text, folded))
        return self._people.replaced(self._cloud.replaced(text, folded))
