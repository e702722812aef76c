# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Kubernetes API told in this run, from Ansible's variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._cluster import objects
from .._cluster.model import Cluster
from . import plain
from .age import age, why_refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from .model import Node

FACT = "calico_cluster"
# What the role collect registers, so that it is known that the API was asked in this run.
RESULT = "collect_cluster_result"
# The API is asked from here, unless the caller names another host.
CONTROLLER = "localhost"
_LONGEST = 300


def from_variables(hostvars: Mapping[str, Any], hosts: Iterable[str], now: datetime, max_age: int) -> Cluster | None:
    """What was told to the controller or to one of these hosts; None if the API was not asked at all.

    What comes from a fact cache and is older than max_age seconds is refused, as a node's facts are.
    """
    for variables in _asked(hostvars, hosts):
        fact = _fact(variables)
        if fact.get("reached") and RESULT not in variables:
            why = why_refused(age(plain.text(fact.get("taken_at")), now), max_age, "the API's objects")
            if why:
                return Cluster(reached=False, why=why)
        return objects.read(fact)
    return _asked_in_vain(hostvars, hosts)


def _asked_in_vain(hostvars: Mapping[str, Any], hosts: Iterable[str]) -> Cluster | None:
    """Why there is no fact although the API was to be asked: the host to ask from was not reached, say."""
    results = (plain.mapping(hostvars[host].get(RESULT)) for host in (CONTROLLER, *hosts) if host in hostvars)
    result = next((result for result in results if result), {})
    if not result or result.get("skipped"):
        return None
    said = " ".join(plain.text(result.get("msg")).split())[:_LONGEST]
    host = "the host from which it was to be asked could not be reached" if result.get("unreachable") else ""
    return Cluster(reached=False, why=": ".join(filter(None, (host, said))) or "the task that asks it failed")


def of_these_nodes(cluster: Cluster | None, nodes: Iterable[Node]) -> Cluster | None:
    """The cluster, unless it knows none of the nodes that were read: then somebody's kubeconfig is of another one."""
    # Of a node whose name nothing tells it is not known which cluster it is of either.
    read = [node for node in nodes if node.has_calico and not node.name.startswith(plain.UNNAMED)]
    if cluster is None or not cluster.nodes or not read:
        return cluster
    known = set(cluster.nodes).union(*(node.internal_addresses for node in cluster.nodes.values()))
    own = {text for node in read for text in (node.name, node.nodename, node.hostname, *node.bgp_addresses.values())}
    own.update(held.address for node in read for held in node.addresses)
    if not known.isdisjoint(own):
        return cluster
    why = f"it knows none of the nodes that were read, but others ({', '.join(sorted(cluster.nodes)[:3])} …)"
    return Cluster(reached=False, why=f"{why}: the kubeconfig is of another cluster")


def fact_of(hostvars: Mapping[str, Any], hosts: Iterable[str]) -> Mapping[str, Any]:
    """The fact as it came, {} if the API was not asked."""
    return next((_fact(variables) for variables in _asked(hostvars, hosts)), {})


def _asked(hostvars: Mapping[str, Any], hosts: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    """The variables of those that have something of the API's."""
    for host in (CONTROLLER, *hosts):
        if host in hostvars and _fact(hostvars[host]):
            yield hostvars[host]


def _fact(variables: Mapping[str, Any]) -> Mapping[str, Any]:
    return plain.mapping(plain.mapping(variables.get("ansible_facts")).get(FACT) or variables.get(FACT))
