# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which API group Calico's objects are, and which kinds of them the cluster serves: asked for, never guessed.

Classic: definitions in crd.projectcalico.org/v1, with or without Calico's API server, which serves the same objects as
projectcalico.org/v3. Native: the definitions themselves are projectcalico.org/v3. While a cluster is moved from one to
the other both are there.
"""

from __future__ import annotations

from .._record import NamedTuple
from . import kinds, problems
from .kinds import OPERATOR, V1, V3
from .problems import ApiError
from .shapes import mapping, sequence, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .asking import Asker
    from .kinds import Kind

# Tells calico-node which group to use, where both are there.
VARIABLE = "CALICO_API_GROUP"


class Served(NamedTuple):
    """What is served: plurals by group (only groups that are there), whether v3 is CRDs, the APIService, and what was
    wrong with groups that are there and do not answer, and with asking for the APIService (under "apiservices")."""

    plurals: dict[str, frozenset[str]]
    native: bool
    api_service: dict[str, Any]
    broken: dict[str, ApiError]


def ask(asker: Asker) -> Served:
    """Find out what is served. Raises ApiError if not even that can be asked."""
    plurals: dict[str, frozenset[str]] = {}
    broken: dict[str, ApiError] = {}
    for group in (V1, V3, OPERATOR):
        found, problem = _resources(asker, group)
        if problem is None:
            plurals[group] = plurals_in(found)
        elif problem.kind != problems.ABSENT:
            broken[group] = problem
    if len(broken) == len(kinds.VERSIONS):
        raise broken[V1]
    service: dict[str, Any] = {}
    known = True
    try:
        service = asker.get(kinds.API_SERVICES.path(name=kinds.V3_SERVICE))
    except ApiError as problem:
        known = problem.kind == problems.ABSENT
        if not known:
            broken[kinds.API_SERVICES.plural] = problem
    return Served(plurals, is_native(plurals, service, known), service, broken)


def _resources(asker: Asker, group: str) -> tuple[dict[str, Any], ApiError | None]:
    try:
        return asker.get(f"/apis/{group}/{kinds.VERSIONS[group]}"), None
    except ApiError as problem:
        return {}, problem


def plurals_in(found: Any) -> frozenset[str]:
    """Return the kinds in an APIResourceList, without subresources."""
    names = (word(mapping(one).get("name")) for one in sequence(mapping(found).get("resources")))
    return frozenset(name for name in names if name and "/" not in name)


def is_native(plurals: dict[str, frozenset[str]], service: dict[str, Any], known: bool) -> bool:
    """Say whether projectcalico.org/v3 is served by definitions and not by Calico's API server: then its APIService
    names no service. Where that is not `known`: if nothing else is there."""
    if V3 not in plurals:
        return False
    if known:
        return bool(service) and not mapping(service.get("spec")).get("service")
    return V1 not in plurals


def groups(served: Served, wanted: str) -> list[str]:
    """Return the groups to read from, best first. `wanted` is what calico-node's variable says, '' if nothing.

    The definitions come before what Calico's API server makes of them: it runs in a pod and may be down with the rest.
    """
    there = [group for group in (V1, V3) if group in served.plurals]
    if len(there) == 2 and served.native and wanted.startswith(V3):
        there.reverse()
    return there


def ways(kind: Kind, served: Served, wanted: str) -> list[Kind]:
    """Return one of Calico's kinds as each group serves it, best first; none if none does."""
    found = groups(served, wanted)
    return [kinds.of_group(kind, group) for group in found if kind.plural in served.plurals[group]]
