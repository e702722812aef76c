# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is planned, typed: from the role's variables, and from the objects that are to be applied.

Every mistake in a variable is a ValueError with one sentence for the person who wrote it.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...module_utils._address import releases
from .._cluster import versions
from .._evidence import plain
from .._lint import context as lint
from .._lint import manifests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
FAMILIES = ("ipv4", "ipv6")
BY_VARIABLE = "preflight_pod_networks"
OBJECTS, READ = "objects", "objects_read"
NO_METHOD = "none"
_BLOCKS = {4: (26, 20, 32), 6: (122, 116, 128)}
_VARIABLE = {"ipv4": "IP_AUTODETECTION_METHOD", "ipv6": "IP6_AUTODETECTION_METHOD"}
_FIELD = {"ipv4": "nodeAddressAutodetectionV4", "ipv6": "nodeAddressAutodetectionV6"}
_PLANNED = {"ipv4": "autodetection", "ipv6": "autodetection_ipv6"}


@dataclass(frozen=True)
class PodNetwork:
    """A range of pods' addresses, and where it is planned. tunnelled: how packets between nodes travel is told, and
    they are encapsulated always (None: not told)."""

    network: Network
    block_size: int
    where: str
    tunnelled: bool | None = None


@dataclass(frozen=True)
class Intent:
    """Everything that is planned. methods: by family how Calico is to find addresses, '' where nothing tells.

    target: the release to upgrade to, as written and as numbers; None where none is planned.
    """

    methods: Mapping[str, str]
    pods: tuple[PodNetwork, ...] = ()
    services: tuple[Network, ...] = ()
    nodes: tuple[Network, ...] = ()
    target: tuple[int, int, int] | None = None
    target_written: str = ""
    loaded: manifests.Loaded = field(default_factory=manifests.Loaded)
    provider: str = ""

    def method(self, family: str, told: str) -> str:
        """The method for a family: the planned one, else what a host's own Calico was told, else Calico's default."""
        return self.methods.get(family) or told or "first-found"


def load(planned: Mapping[str, Any]) -> dict[str, Any]:
    """The role's variables with the objects that preflight_objects names, read from files of the controller."""
    paths = _listed(planned, OBJECTS)
    return {**planned, READ: manifests.read_paths(paths) if paths else manifests.Loaded()}


def read(planned: Mapping[str, Any]) -> Intent:
    """The plan, from variables by their names without preflight_."""
    loaded = planned.get(READ)
    loaded = loaded if isinstance(loaded, manifests.Loaded) else manifests.Loaded()
    context = lint.Context(loaded.documents, lint.Settings())
    size = planned.get("block_size")
    pods = [PodNetwork(one, _block_size(one, size), BY_VARIABLE) for one in _networks(planned, "pod_networks")]
    target = plain.text(planned.get("target_version") or "").strip()
    release = versions.release(target) if target else None
    if target and release is None:
        raise ValueError(f"preflight_target_version is {target!r}; it must be a release of Calico's, such as v3.30.3")
    provider = plain.text(planned.get("provider") or "").strip()
    if provider and provider not in lint.PROVIDERS:
        raise ValueError(f"preflight_provider is {provider!r}; it must be one of {', '.join(lint.PROVIDERS)}")
    return Intent(
        methods={family: _method(planned, context, family) for family in FAMILIES},
        pods=tuple(pods or _of_objects(context)),
        services=tuple(_networks(planned, "service_networks")),
        nodes=tuple(_networks(planned, "node_networks")),
        target=release,
        target_written=target,
        loaded=loaded,
        provider=provider,
    )


def _listed(planned: Mapping[str, Any], name: str) -> list[str]:
    given = plain.listed(planned.get(name) or ())
    if not isinstance(given, (list, tuple)) or not all(isinstance(one, str) for one in given):
        raise ValueError(f"preflight_{name} must be a list of texts, not {given!r}")
    return [one.strip() for one in given if one.strip()]


def _networks(planned: Mapping[str, Any], name: str) -> list[Network]:
    found = []
    for written in _listed(planned, name):
        network = lint.network(written)
        if network is None:
            raise ValueError(f"preflight_{name} has {written!r}, which is no range of addresses such as 10.244.0.0/16")
        if str(network.network_address) != str(ipaddress.ip_address(written.partition("/")[0])):
            raise ValueError(f"preflight_{name} has {written}, an address inside of the range; write {network}")
        found.append(network)
    return found


def _block_size(network: Network, given: Any) -> int:
    usual, least, greatest = _BLOCKS[network.version]
    if given in (None, "", 0, "0"):
        return usual
    size = plain.integer(given)
    if size is None or not (any(low <= size <= high for _usual, low, high in _BLOCKS.values())):
        raise ValueError(f"preflight_block_size is {given!r}; it must be 20 to 32 for IPv4, 116 to 128 for IPv6")
    return size if least <= size <= greatest else usual


def _of_objects(context: lint.Context) -> Iterator[PodNetwork]:
    """The pools of the objects. What is wrong with them as such, the linter says."""
    for pool in context.pools:
        network = pool.network
        if network is not None and pool.for_pods:
            usual, least, greatest = _BLOCKS[network.version]
            size = pool.block_size if pool.block_size and least <= pool.block_size <= greatest else usual
            place = f"{pool.document.about} in {pool.document.file}" if pool.document.file else pool.document.about
            yield PodNetwork(network, size, place, lint.ALWAYS in (pool.ipip, pool.vxlan))


def _method(planned: Mapping[str, Any], context: lint.Context, family: str) -> str:
    """The method that is planned for a family: by the variable, else by an Installation, else by a DaemonSet."""
    given = planned.get(_PLANNED[family])
    if given not in (None, ""):
        return plain.text(given).strip() or NO_METHOD
    for document in context.installations:
        told = plain.mapping(lint.network_of(document).get(_FIELD[family]))
        if told:
            return _as_method(told)
    variables = (context.variable(agent, _VARIABLE[family]) for agent in context.agents)
    return next(filter(None, variables), "")


def _as_method(told: Mapping[str, Any]) -> str:
    """The method of an Installation's field, in the words of calico-node's variable (operator: pkg/render/node.go)."""
    if told.get("firstFound") is True:
        return "first-found"
    if told.get("kubernetes") == "NodeInternalIP":
        return "kubernetes-internal-ip"
    words = {"interface": "interface=", "skipInterface": "skip-interface=", "canReach": "can-reach="}
    for key, beginning in words.items():
        if told.get(key):
            return beginning + plain.text(told[key])
    return "cidr=" + ",".join(plain.texts(told.get("cidrs"))) if told.get("cidrs") else ""


def reach_of(planned: Mapping[str, Any]) -> list[str]:
    """The destinations of methods can-reach=…, of which hosts are to tell from where they would send there."""
    intent = read(planned)
    beginning = "can-reach="
    return [one[len(beginning) :] for one in intent.methods.values() if one.startswith(beginning)]


def shown(release: tuple[int, int, int] | None) -> str:
    """A release as Calico writes it, '' for none."""
    return "v" + ".".join(str(number) for number in release) if release else ""


def newest_rules(intent: Intent, running: str) -> tuple[int, int, int] | None:
    """The release by whose ways an address will be looked for: that to upgrade to, else the one that runs."""
    return intent.target or releases.parse_version(running)
