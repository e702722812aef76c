# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings as they take effect: variables of calico-node's container through the ConfigMaps that they are read from,
Felix' fields with what goes before them, and the Installation with its overlay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .components import Made, is_agent
from .surroundings import OBEYED

if TYPE_CHECKING:
    from .model import Cluster, ConfigMap, Container, Installation, Workload

AGENT = "calico-node"
_OTHERWISE = {"ipipMTU": "IpInIpMtu", "ipipEnabled": "IpInIpEnabled"}


class Value(NamedTuple):
    """A setting's value, '' if none, and where it stands ('' : nowhere that was read). known: it could be read."""

    value: str
    place: str
    known: bool = True


def agent(cluster: Cluster) -> Workload | None:
    """The DaemonSet that runs calico-node. During a migration to the operator it is the operator's: the coming one."""
    found = cluster.node_agents
    return next((one for one in found if one.meta.owner.startswith("Installation/")), found[0] if found else None)


def container(workload: Workload | None) -> Container | None:
    """The container of a DaemonSet that is calico-node, or its only one."""
    if workload is None:
        return None
    running = [one for one in workload.containers if not one.init]
    agents = [one for one in running if is_agent(Made(one.name, one.image, (*one.env, *one.env_from)))]
    return agents[0] if agents else running[0] if len(running) == 1 else None


def variable(cluster: Cluster, workload: Workload | None, name: str) -> Value:
    """A variable of calico-node's environment as its DaemonSet sets it."""
    found = container(workload)
    if workload is None or found is None:
        return Value("", "", known=False)
    place = (
        f"{workload.kind} {workload.namespace}/{workload.name}"
        if workload.namespace
        else f"{workload.kind} {workload.name}"
    )
    if name in found.env:
        return Value(found.env[name], place)
    origin = found.env_from.get(name, "")
    if not origin:
        return Value("", place)
    kind, _space, rest = origin.partition(" ")
    if kind != "configmap":
        return Value("", f"{place}, from {origin}", known=False)
    owner, _slash, key = rest.partition("/")
    data = config_map(cluster, owner, workload.namespace)
    if data is None:
        return Value("", f"ConfigMap {owner}, key {key}", known=False)
    return Value(data.data.get(key, ""), f"ConfigMap {owner}, key {key}", known=key in data.data)


def config_map(cluster: Cluster, name: str, namespace: str) -> ConfigMap | None:
    """The ConfigMap of this name, in this namespace where both are told."""
    found = [one for one in cluster.config_maps if one.name == name]
    return next((one for one in found if not namespace or one.namespace in ("", namespace)), None)


def felix_variable(field: str) -> str:
    """The variable of a field of FelixConfiguration: its name in capitals, but for IPIP's."""
    return f"FELIX_{_OTHERWISE.get(field, field).upper()}"


def felix(cluster: Cluster, field: str) -> Value:
    """A field of Felix' configuration for all nodes: the environment goes before FelixConfiguration default."""
    told = variable(cluster, agent(cluster), felix_variable(field))
    if told.value or (told.place and not told.known):
        return told
    default = cluster.felix_configurations.get("default")
    value = default.spec.get(field) if default is not None else None
    if value is None:
        return Value("", "", known=default is not None or cluster.read("felixconfigurations"))
    return Value(str(value).lower() if isinstance(value, bool) else str(value), "FelixConfiguration default")


def installation(cluster: Cluster) -> Installation | None:
    """The Installation that the operator obeys."""
    found = {one.name: one for one in cluster.installations}
    return found.get(OBEYED[0]) or found.get(OBEYED[1])


def installed(cluster: Cluster, *path: str) -> Any:
    """A field of the Installation as the operator computed it, else as it and its overlay have it; None if none."""
    found = {one.name: one for one in cluster.installations}
    default, overlay = found.get(OBEYED[0]), found.get(OBEYED[1])
    places = [default.computed if default else {}, overlay.spec if overlay else {}, default.spec if default else {}]
    return next((value for value in (_at(place, path) for place in places) if value is not None), None)


def _at(place: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        place = place.get(name) if isinstance(place, Mapping) else None
    return place
