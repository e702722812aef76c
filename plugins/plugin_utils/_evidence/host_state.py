# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host below Calico as a node tells of it: kernel settings and parts, connection tracking, who filters with which
iptables, who else manages Calico's interfaces, and destinations that the kernel was told to throw away.

The shapes are those of RV(ansible_facts.calico_node.host) and RV(ansible_facts.calico_firewall.backends) of
M(netmedic.calico.node_facts). Everything here says "not told" by being empty or None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BACKENDS = ("iptables_legacy", "iptables_nft")
ALL = "all"
_LOST = ("drop", "early_drop", "insert_failed")


@dataclass(frozen=True)
class Moved:
    """A kernel counter since boot, and by how much it grew while the node was looked at."""

    total: int = 0
    grew: int = 0


@dataclass(frozen=True)
class Tracking:
    """The connection tracking table: entries, how many fit, and what was lost for it (drop, early_drop …)."""

    entries: int | None = None
    most: int | None = None
    lost: Mapping[str, Moved] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """There is no room for a new connection, or hardly any."""
        return self.entries is not None and bool(self.most) and self.entries >= 0.95 * (self.most or 0)

    @property
    def has_room(self) -> bool:
        """There is a lot of room left."""
        return self.entries is not None and bool(self.most) and self.entries < 0.8 * (self.most or 0)


@dataclass(frozen=True)
class Manager:
    """What a network manager has of Calico's. managed: interfaces in its hands; not_excluded: such as nothing tells it
    to leave alone; files: those that make it take them; removes_foreign_routes: it does so when it starts."""

    managed: tuple[str, ...] = ()
    not_excluded: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    removes_foreign_routes: bool = False


@dataclass(frozen=True)
class LoggedDrop:
    """What opens TCP connections and was stopped, as the kernel's log says. way: inbound, outbound."""

    source: str
    destination: str
    port: int
    way: str
    prefix: str
    packets: int


@dataclass(frozen=True)
class LoggedPodDrop:
    """What pods sent, or what was for them, and was stopped, as the kernel's log says. way: "from cali+ to eth0".

    whole: the log tells that something began; else its lines are cut off."""

    way: str
    prefix: str
    whole: bool
    packets: int


@dataclass(frozen=True)
class Backend:
    """Rules in one backend of iptables, and whose they are; owners are told only where both backends have rules."""

    rules: int = 0
    owners: tuple[str, ...] = ()


@dataclass(frozen=True)
class HostState:
    """All of it, of one node. forwarding_off: by family the interfaces that do not forward ("all": the host does not).

    strict, loose: interfaces by their reverse path filter, "all" if it is set for all of them. filter_of_all: that
    setting's value, None if it was not read. versions: by place (host, calico-node) iptables' release and backend.
    blackholes: by family destinations of BIRD's and Felix'.
    """

    forwarding_off: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    strict: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()
    filter_of_all: int | None = None
    reverse_path_dropped: Moved = field(default_factory=Moved)
    tracking: Tracking = field(default_factory=Tracking)
    kernel_missing: tuple[str, ...] = ()
    managers: Mapping[str, Manager] = field(default_factory=dict)
    backends: Mapping[str, Backend] = field(default_factory=dict)
    versions: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    blackholes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    logged_drops: tuple[LoggedDrop, ...] = ()
    logged_pod_drops: tuple[LoggedPodDrop, ...] = ()


def read(facts: Mapping[str, Any]) -> HostState:
    """Read one node's facts. What is absent or of a wrong type is as if it had not been told."""
    host = plain.mapping(plain.mapping(facts.get("calico_node")).get("host"))
    filters = plain.mapping(host.get("rp_filter"))
    told = plain.mapping(plain.mapping(facts.get("calico_firewall")).get("backends"))
    return HostState(
        forwarding_off={name: plain.texts(found) for name, found in plain.mapping(host.get("forwarding_off")).items()},
        strict=plain.texts(filters.get("strict")),
        loose=plain.texts(filters.get("loose")),
        filter_of_all=plain.integer(host.get("rp_filter_all")),
        reverse_path_dropped=_moved(host.get("reverse_path_dropped")),
        tracking=_tracking(plain.mapping(host.get("conntrack"))),
        kernel_missing=plain.texts(host.get("kernel_missing")),
        managers=dict(_managers(plain.mapping(host.get("network_managers")))),
        backends={
            name: Backend(
                plain.count(plain.mapping(told[name]).get("rules")),
                plain.texts(plain.mapping(told[name]).get("owners")),
            )
            for name in BACKENDS
            if told.get(name)
        },
        versions={
            place: (plain.text(item.get("release")), plain.text(item.get("backend")))
            for place, found in plain.mapping(host.get("iptables_versions")).items()
            if (item := plain.mapping(found))
        },
        blackholes={
            family: plain.texts(plain.mapping(found).get("blackholes"))
            for family, found in plain.mapping(host.get("routes")).items()
        },
        logged_drops=tuple(_drops(host)),
        logged_pod_drops=tuple(_pod_drops(host)),
    )


def _drops(host: Mapping[str, Any]) -> Iterator[LoggedDrop]:
    for item in plain.mappings(host.get("logged_drops")):
        source, destination, way, prefix = (
            plain.text(item.get(key)) for key in ("source", "destination", "way", "prefix")
        )
        yield LoggedDrop(
            source, destination, plain.count(item.get("port")), way, prefix, plain.count(item.get("packets"))
        )


def _pod_drops(host: Mapping[str, Any]) -> Iterator[LoggedPodDrop]:
    for item in plain.mappings(host.get("logged_pod_drops")):
        way, prefix = (plain.text(item.get(key)) for key in ("way", "prefix"))
        yield LoggedPodDrop(way, prefix, bool(item.get("whole")), plain.count(item.get("packets")))


def _moved(value: Any) -> Moved:
    if isinstance(value, dict):
        return Moved(plain.count(value.get("total")), plain.count(value.get("grew")))
    return Moved(plain.count(value))


def _tracking(item: Mapping[str, Any]) -> Tracking:
    lost = {name: _moved(item[name]) for name in _LOST if item.get(name)}
    return Tracking(plain.integer(item.get("count")), plain.integer(item.get("max")), lost)


def _managers(told: Mapping[str, Any]) -> Iterator[tuple[str, Manager]]:
    for name, value in told.items():
        item = plain.mapping(value)
        yield (
            name,
            Manager(
                managed=plain.texts(item.get("managed")),
                not_excluded=plain.texts(item.get("not_excluded")),
                files=plain.texts(item.get("files")),
                removes_foreign_routes=bool(item.get("removes_foreign_routes")),
            ),
        )
