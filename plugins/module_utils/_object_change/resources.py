# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which object is meant, and where the API serves it: asked for by discovery, never guessed."""

from __future__ import annotations

import re

from .._cluster import discover, kinds, problems
from .._cluster.kinds import V1, V3, Kind
from .._cluster.problems import ApiError
from .._cluster.shapes import mapping, sequence, word
from .._record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .._cluster.asking import Asker

# Names of all kinds. What is not of this form could lead elsewhere in a path.
_NAME = re.compile(r"(?!\.{1,2}\Z)[^\x00-\x20/%?#\\\x7f-\U0010ffff]{1,253}\Z")
_OF_CALICO = {V1: V3, V3: V1}


class Ref(NamedTuple):
    """One object: as it calls itself, and where its kind is served. `namespace` is '' for a kind without any."""

    api_version: str
    kind: str
    namespace: str
    name: str
    served: Kind

    @property
    def path(self) -> str:
        """The object's path."""
        return self.served.path(self.namespace, self.name)

    @property
    def collection(self) -> str:
        """The path of the list that it is in."""
        return self.served.path(self.namespace)

    @property
    def label(self) -> str:
        """The object in words."""
        return f"{self.kind} {self.namespace + '/' if self.namespace else ''}{self.name}"


def refused(why: str) -> ApiError:
    """Return the refusal to change something, for a reason that is ours and not the API's."""
    return ApiError(problems.REFUSED, why)


class Resources:
    """Finds out where objects are served. Each group is asked for once."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._found: dict[str, dict[str, Kind]] = {}
        self._namespaced: set[tuple[str, str]] = set()

    def ref(self, api_version: str, kind: str, namespace: str, name: str) -> Ref:
        """Return where an object is, or would be. Raises ApiError.

        One of Calico's kinds is looked for in the other of its groups, too, if the one that was asked for is not
        served; without an api_version, in the one that calico-node reads.
        """
        if not _NAME.match(name) or (namespace and not _NAME.match(namespace)):
            raise refused(f"{kind} {namespace + '/' if namespace else ''}{name} is no name of an object.")
        api_version = api_version or self._group_of_calico(kind)
        for version in (api_version, _other_group(api_version)):
            served = self._kinds(version).get(kind) if version else None
            if served is not None:
                return Ref(version, kind, self._placed(version, kind, namespace, name), name, served)
        raise ApiError(problems.ABSENT, f"{self._asker.transport.server} serves no {kind} in {api_version}.")

    def _placed(self, version: str, kind: str, namespace: str, name: str) -> str:
        namespaced = (version, kind) in self._namespaced
        if namespaced and not namespace:
            raise refused(f"{kind} {name} needs a namespace.")
        if namespace and not namespaced:
            raise refused(f"{kind} {name} has no namespace, but {namespace} is given for it.")
        return namespace

    def _kinds(self, api_version: str) -> dict[str, Kind]:
        if api_version not in self._found:
            group, _slash, version = api_version.rpartition("/")
            if not _NAME.match(version) or (group and not _NAME.match(group)):
                raise refused(f"{api_version} is no api_version.")
            try:
                told = self._asker.get(f"/apis/{group}/{version}" if group else f"/api/{version}")
            except ApiError as problem:
                if problem.kind != problems.ABSENT:
                    raise
                told = {}
            self._found[api_version] = dict(self._named(api_version, group, version, told))
        return self._found[api_version]

    def _named(self, api_version: str, group: str, version: str, told: dict[str, Any]) -> list[tuple[str, Kind]]:
        found = []
        for one in sequence(told.get("resources")):
            plural, kind = word(mapping(one).get("name")), word(mapping(one).get("kind"))
            if kind and _NAME.match(plural):  # a name with a slash is a subresource
                found.append((kind, Kind(plural, group, version)))
                if one.get("namespaced") is True:
                    self._namespaced.add((api_version, kind))
        return found

    def _group_of_calico(self, kind: str) -> str:
        served = discover.ask(self._asker)
        there = discover.groups(served, "")
        if not there:
            raise refused(f"{kind} needs an api_version: the cluster serves none of Calico's groups.")
        if len(there) == 2 and served.native:
            raise refused(
                f"{kind} needs an api_version: both of Calico's groups are served, as while a cluster is moved from "
                "one to the other. cluster_info says as group which one calico-node reads."
            )
        return f"{there[0]}/{kinds.VERSIONS[there[0]]}"


def _other_group(api_version: str) -> str:
    other = _OF_CALICO.get(api_version.rpartition("/")[0], "")
    return f"{other}/{kinds.VERSIONS[other]}" if other else ""
