# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of objects that the emulated API serves, with what discovery, tables and the store need to know of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
CALICO_V1 = "crd.projectcalico.org"
CALICO_V3 = "projectcalico.org"
OPERATOR = "operator.tigera.io"


class Column(NamedTuple):
    """A column of `kubectl get`. `path` is a JSONPath ("" for the built-in kinds, whose cells `tables` computes)."""

    name: str
    type: str = "string"
    path: str = ""
    priority: int = 0
    description: str = ""
    format: str = ""


class Kind(NamedTuple):
    """One kind in the version that is stored.

    `served_versions`: all versions under which it is served, the stored one among them. `fields`: the field selectors
    that are understood beside metadata.name and metadata.namespace. `stored_as`: for a view over other objects (the
    aggregated projectcalico.org/v3), "plural.group" of those, else "". `custom`: defined by a CustomResourceDefinition.
    """

    group: str
    version: str
    plural: str
    singular: str
    kind: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    served_versions: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    fields: tuple[str, ...] = ()
    stored_as: str = ""
    custom: bool = False

    @property
    def api_version(self) -> str:
        """For instance "v1" or "apps/v1"."""
        return self.api_version_of(self.version)

    def api_version_of(self, version: str) -> str:
        """`apiVersion` of an object of this kind in one of the served versions."""
        return f"{self.group}/{version}" if self.group else version

    @property
    def resource(self) -> str:
        """As error messages name it: "pods", "daemonsets.apps"."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def group_kind(self) -> str:
        """As error messages name it: "Pod", "DaemonSet.apps"."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def list_kind(self) -> str:
        """For instance "PodList"."""
        return f"{self.kind}List"

    @property
    def counts_generations(self) -> bool:
        """Whether metadata.generation is kept for it."""
        return self.custom or self.group in _GENERATIONS


_GENERATIONS = ("apps", "admissionregistration.k8s.io", "apiextensions.k8s.io", "policy", "networking.k8s.io", "batch")


class Kinds:
    """The kinds that one API serves, found by the names that clients use."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self.all: tuple[Kind, ...] = ()
        self._by_path: dict[tuple[str, str, str], Kind] = {}
        self._by_kind: dict[tuple[str, str], Kind] = {}
        self._by_resource: dict[str, Kind] = {}
        for kind in kinds:
            self.add(kind)

    def __iter__(self) -> Iterator[Kind]:
        return iter(self.all)

    def add(self, kind: Kind) -> None:
        """Serve one more kind."""
        self.all = (*self.all, kind)
        self._by_resource[kind.resource] = kind
        for version in kind.served_versions:
            self._by_path[kind.group, version, kind.plural] = kind
            self._by_kind[kind.api_version_of(version), kind.kind] = kind

    def find(self, name: str) -> Kind:
        """The kind called "plural", "plural.group" or by a short name; KeyError if there is none."""
        if name in self._by_resource:
            return self._by_resource[name]
        plural, _dot, group = name.partition(".")
        for kind in self.all:
            if plural in (kind.plural, kind.singular, *kind.short_names) and (not group or group == kind.group):
                return kind
        raise KeyError(name)

    def by_kind(self, api_version: str, kind: str) -> Kind | None:
        """The kind of an object from its `apiVersion` and `kind`, None if it is not served."""
        return self._by_kind.get((api_version, kind))

    def by_path(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind behind /apis/group/version/…/plural, None if it is not served."""
        return self._by_path.get((group, version, plural))

    def storage(self, kind: Kind) -> Kind:
        """The kind under which objects of `kind` are kept: itself, but for a view the kind it shows."""
        return self._by_resource[kind.stored_as] if kind.stored_as else kind

    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Every group with its versions, the preferred one first; "" is the core."""
        found: dict[str, dict[str, None]] = {}
        for kind in self.all:
            found.setdefault(kind.group, {}).update(dict.fromkeys(kind.served_versions))
        return {group: tuple(versions) for group, versions in found.items()}


def served(calico: str = "crd") -> Kinds:
    """The kinds of an API.

    `calico`: "crd" serves crd.projectcalico.org/v1; "aggregated" also shows the same objects as projectcalico.org/v3,
    as Calico's own API server does; "native" has projectcalico.org/v3 as CustomResourceDefinitions and nothing else.
    """
    from . import builtin_kinds, custom_kinds

    return Kinds([*builtin_kinds.KINDS, *custom_kinds.calico(calico), *custom_kinds.OTHERS])


KINDS = served()
