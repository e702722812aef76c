# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a list or watch is about: namespace, name, label and field selectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .rules import selectors

if TYPE_CHECKING:
    from .entry import Entry
    from .rules.selectors import Requirement
    from .target import Target


class Selection(NamedTuple):
    """`labels` and `fields` are empty where the client does not select by them."""

    namespace: str
    name: str
    labels: tuple[Requirement, ...]
    fields: tuple[Requirement, ...]

    @property
    def everything(self) -> bool:
        """Whether nothing but the namespace selects."""
        return not (self.labels or self.fields or self.name)

    def matches(self, entry: Entry | None) -> bool:
        """Whether an object is selected."""
        if entry is None or (self.namespace and entry.namespace != self.namespace):
            return False
        if self.name and entry.name != self.name:
            return False
        if not all(each.holds(entry.labels) for each in self.labels):
            return False
        return not self.fields or _hold(self.fields, entry)


def _hold(wanted: tuple[Requirement, ...], entry: Entry) -> bool:
    found = {"metadata.name": entry.name, "metadata.namespace": entry.namespace, **entry.fields}
    return all(each.holds(found) for each in wanted)


def of(target: Target) -> Selection:
    """What a request selects; BadRequest."""
    labels, fields = target.request.param("labelSelector"), target.request.param("fieldSelector")
    return Selection(
        target.namespace,
        "" if fields else target.route.name,
        selectors.label_requirements(labels),
        selectors.field_requirements(fields, target.kind),
    )
