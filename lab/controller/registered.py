# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the API's objects to what confd works with: the shape of `datastore`. Pure.

What a client of Kubernetes may write and confd cannot use (an address that is none, a number in letters) is left out,
as confd leaves it out.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from . import access
from .names import CALICO_NODE, KUBE_SYSTEM, PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .objects import Object

    Objects = Mapping[str, Sequence[Object]]

AS_NUMBER = 64512
# The kinds that `derive` reads, by plural.
KINDS = (
    "nodes",
    "secrets",
    "roles",
    "rolebindings",
    "clusterroles",
    "clusterrolebindings",
    "bgpconfigurations",
    "bgppeers",
    "bgpfilters",
    "ippools",
    "blockaffinities",
)


class Registered(NamedTuple):
    """`data` in the shape of `datastore`; what confd has to warn of."""

    data: dict[str, Any]
    warnings: tuple[str, ...]


def derive(objects: Objects, environments: Mapping[str, Mapping[str, str]]) -> Registered:
    """What is registered, from objects by the plural of their kind, and from the environment of calico-node by node."""
    secrets = _Secrets(objects)
    settings = {each["metadata"]["name"]: each.get("spec") or {} for each in objects.get("bgpconfigurations", ())}
    default = settings.get("default", {})
    pools = [each.get("spec") or {} for each in objects.get("ippools", ())]
    mesh_words = "referenced by BGP Configuration default"
    data: dict[str, Any] = {
        "as_number": _as_number(default.get("asNumber")) or AS_NUMBER,
        "mesh": default.get("nodeToNodeMeshEnabled") is not False,
        "listen_port": default.get("listenPort"),
        "bind_node_ip": default.get("bindMode") == "NodeIP",
        "mesh_password": secrets.value(default.get("nodeMeshPassword"), mesh_words),
        "mesh_restart_time": _seconds(default.get("nodeMeshMaxRestartTime")),
        "ignored_interfaces": list(default.get("ignoredInterfaces") or []),
        "service_cidrs": [
            cidr for each in default.get("serviceClusterIPs") or [] if (cidr := _network(each.get("cidr")))
        ],
        "pools": _cidrs(each for each in pools if not each.get("disableBGPExport")),
        "pools_not_exported": _cidrs(each for each in pools if each.get("disableBGPExport")),
        "vxlan_pools": _cidrs(each for each in pools if (each.get("vxlanMode") or "Never") != "Never"),
        "not_programmed": _cidrs(each for each in pools if not _programmed(each, default.get("programClusterRoutes"))),
        "filters": {each["metadata"]["name"]: each.get("spec") or {} for each in objects.get("bgpfilters", ())},
        "peers": {each["metadata"]["name"]: _peer(each, secrets) for each in objects.get("bgppeers", ())},
        "nodes": _nodes(objects, settings, environments),
        "views": {},
    }
    return Registered(data, tuple(secrets.warnings))


def _programmed(pool: Mapping[str, Any], told: str | None) -> bool:
    """Whether BIRD is to put a pool's routes into the kernel (BGPConfiguration.programClusterRoutes, from 3.32 on)."""
    ipip = (pool.get("ipipMode") or "Never") != "Never"
    return told not in ("Disabled", "EnabledNoEncapOnly" if ipip else "EnabledIPIPOnly")


def _nodes(
    objects: Objects, settings: Mapping[str, Object], environments: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    blocks: dict[str, list[str]] = {}
    for each in objects.get("blockaffinities", ()):
        spec = each.get("spec") or {}
        if spec.get("state") == "confirmed" and spec.get("deleted") != "true" and _network(spec.get("cidr")):
            blocks.setdefault(spec.get("node", ""), []).append(spec["cidr"])
    found = {}
    for node in objects.get("nodes", ()):
        name = node["metadata"]["name"]
        own = settings.get(f"node.{name}", {})
        variables = environments.get(name, {})
        found[name] = {
            **_node(node, blocks.get(name, [])),
            "router_id": _router_id(name, variables),
            "listen_port": own.get("listenPort"),
            "backend": variables.get("CALICO_NETWORKING_BACKEND") or "bird",
        }
    return found


def _node(node: Object, blocks: list[str]) -> dict[str, Any]:
    metadata = node["metadata"]
    annotations = metadata.get("annotations") or {}
    address, length = _address(annotations.get(f"{PREFIX}IPv4Address"), 4)
    address6, length6 = _address(annotations.get(f"{PREFIX}IPv6Address"), 6)
    return {
        "address": address,
        "prefix_length": length,
        "address6": address6,
        "prefix_length6": length6,
        "blocks": sorted(each for each in blocks if ":" not in each),
        "blocks6": sorted(each for each in blocks if ":" in each),
        "as_number": _as_number(annotations.get(f"{PREFIX}ASNumber")),
        "cluster_id": annotations.get(f"{PREFIX}RouteReflectorClusterID") or "",
        "labels": dict(metadata.get("labels") or {}),
    }


def _router_id(name: str, environment: Mapping[str, str]) -> str | None:
    """CALICO_ROUTER_ID, where "hash" makes one from the node's name."""
    given = environment.get("CALICO_ROUTER_ID")
    if given == "hash":
        return str(ipaddress.IPv4Address(zlib.crc32(name.encode()) or 1))
    return given or None


def _peer(peer: Object, secrets: _Secrets) -> dict[str, Any]:
    spec = peer.get("spec") or {}
    words = f"for BGPPeer {peer['metadata']['name']}"
    return {"spec": spec, "password": secrets.value(spec.get("password"), words)}


class _Secrets:
    """The values of Secrets that calico-node may read, and confd's words for those that it may not."""

    def __init__(self, objects: Objects) -> None:
        self.warnings: list[str] = []
        self._objects = objects
        self._secrets = {
            each["metadata"]["name"]: each
            for each in objects.get("secrets", ())
            if each["metadata"].get("namespace") == KUBE_SYSTEM
        }

    def value(self, reference: Object | None, words: str) -> str | None:
        """The password that a field refers to, None if there is none or it cannot be read."""
        key = (reference or {}).get("secretKeyRef") or {}
        name = key.get("name")
        if not name:
            return None
        account = (KUBE_SYSTEM, CALICO_NODE)
        if access.allowed(self._objects, account, KUBE_SYSTEM, "secrets", ("list", "watch"), name):
            secret = self._secrets.get(name, {})
            encoded = (secret.get("data") or {}).get(key.get("key", ""))
            if encoded is None and (secret.get("stringData") or {}).get(key.get("key", "")) is not None:
                return str(secret["stringData"][key["key"]])
            if encoded is not None:
                return _decoded(encoded)
        self.warnings.append(
            _WARNINGS[words.startswith("for BGPPeer")].format(words=words, name=name, key=key.get("key"))
        )
        return None


_WARNINGS = {
    True: "Can't read password {words}",
    False: "Can't read password {words} in secret kube-system:{name}, key {key}",
}


def _decoded(encoded: str) -> str:
    try:
        return base64.b64decode(encoded).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _address(text: object, version: int) -> tuple[str, int]:
    try:
        interface = ipaddress.ip_interface(str(text or ""))
    except ValueError:
        return "", 0
    return (str(interface.ip), interface.network.prefixlen) if interface.version == version else ("", 0)


def _network(text: object) -> str:
    try:
        return str(ipaddress.ip_network(str(text or ""), strict=False))
    except ValueError:
        return ""


def _cidrs(pools: Iterable[Object]) -> list[str]:
    return sorted(cidr for each in pools if (cidr := _network(each.get("cidr"))))


def _as_number(value: object) -> int | None:
    """An AS number in either notation, None for none."""
    text = str(value or "")
    high, dot, low = text.partition(".")
    if not high.isdecimal() or (dot and not low.isdecimal()):
        return None
    return int(high) << 16 | int(low) if dot else int(high)


def _seconds(text: object) -> int | None:
    from ..peerings import seconds

    return seconds(str(text)) if text else None
