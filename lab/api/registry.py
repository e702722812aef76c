# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kinds are served at this moment: a custom kind with its CustomResourceDefinition, the aggregated API while its
API server is there, new kinds as soon as they are defined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import ApiError
from .kinds import Column, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from .entry import Object
    from .kinds import Kinds
    from .store import Event, Store

_DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"
_SERVICES = "apiservices.apiregistration.k8s.io"


class Registry:
    """The served kinds of one store."""

    def __init__(self, store: Store, hides: Callable[[str, str], bool] = lambda _group, _plural: False) -> None:
        """`hides(group, plural)`: whether a kind shall be missing now."""
        self._hides = hides
        self._store = store
        self._kinds = store.kinds
        self._definition_kind = self._kinds.find(_DEFINITIONS)
        self._service_kind = self._kinds.find(_SERVICES)
        store.subscribe(self._learn)

    @property
    def kinds(self) -> Kinds:
        """All kinds, served or not."""
        return self._kinds

    def served(self) -> list[Kind]:
        """The kinds that are served now."""
        return [kind for kind in self._kinds if self._is_defined(kind)]

    def groups(self) -> dict[str, tuple[str, ...]]:
        """The groups that are served now, with their versions."""
        there = {kind.group for kind in self.served()}
        return {group: versions for group, versions in self._kinds.groups().items() if group in there}

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind behind a path, None if it is not served."""
        kind = self._kinds.by_path(group, version, plural)
        return kind if kind is not None and self._is_defined(kind) else None

    def check_available(self, group: str, version: str) -> None:
        """Raise what the aggregator answers while the API server behind a group is not available (503)."""
        service = self._store.peek(self._service_kind, "", f"{version}.{group}")
        if service is None:
            return
        obj = service.object()
        conditions = (obj.get("status") or {}).get("conditions") or ()
        down = any(each.get("type") == "Available" and each.get("status") != "True" for each in conditions)
        if down and (obj.get("spec") or {}).get("service"):
            raise ApiError(503, "ServiceUnavailable", "service unavailable")

    def _is_defined(self, kind: Kind) -> bool:
        if self._hides(kind.group, kind.plural):
            return False
        if kind.stored_as:
            return self._store.peek(self._service_kind, "", f"{kind.version}.{kind.group}") is not None
        return not kind.custom or self._store.peek(self._definition_kind, "", kind.resource) is not None

    def _learn(self, event: Event) -> None:
        if event.entry.kind is self._definition_kind and event.type != "DELETED":
            kind = defined(event.object)
            if kind is not None and self._kinds.by_path(kind.group, kind.version, kind.plural) is None:
                self._kinds.add(kind)


def defined(definition: Object) -> Kind | None:
    """The kind that a CustomResourceDefinition defines, None if it serves no version."""
    spec = definition.get("spec") or {}
    names = spec.get("names") or {}
    versions = [each for each in spec.get("versions") or () if each.get("served")]
    if not versions or not names.get("plural") or not names.get("kind"):
        return None
    stored = next((each for each in versions if each.get("storage")), versions[0])
    columns = [
        Column(
            each.get("name", ""),
            each.get("type", "string"),
            each.get("jsonPath", ""),
            each.get("priority", 0),
            each.get("description", ""),
            each.get("format", ""),
        )
        for each in stored.get("additionalPrinterColumns") or ()
    ]
    age = Column("Age", "date", ".metadata.creationTimestamp")
    return Kind(
        group=spec.get("group", ""),
        version=stored["name"],
        plural=names["plural"],
        singular=names.get("singular") or names["kind"].lower(),
        kind=names["kind"],
        namespaced=spec.get("scope") == "Namespaced",
        short_names=tuple(names.get("shortNames") or ()),
        subresources=("status",) if "status" in (stored.get("subresources") or {}) else (),
        columns=(Column("Name", format="name"), *(columns or [age])),
        served_versions=tuple(each["name"] for each in versions),
        categories=tuple(names.get("categories") or ()),
        custom=True,
    )
