# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node tells of its way to what governs it: API server, Typha, certificates, tokens, kubelet, its clock.

The shapes are those of RV(ansible_facts.calico_node.host) of M(netmedic.calico.node_facts); lengths of time are
seconds. Everything here says "not told" by being empty or None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...module_utils._facts.packing import unpack
from . import plain, rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .rules import Rule

TYPHA_FLOW = "tcp5473"


@dataclass(frozen=True)
class Connections:
    """This host's connections to one endpoint. told: who was told to connect there (calico, kubelet, cni).

    opening: asked for and not answered, by the programs opened_by. retransmitting: no longer acknowledged. known: the
    endpoint's address is known, so that there being no connection means something.
    """

    endpoint: str
    established: int = 0
    opening: int = 0
    retransmitting: int = 0
    opened_by: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    name: str = ""
    known: bool = True

    @property
    def unanswered(self) -> bool:
        """Connections are asked for and none gets through."""
        return self.opening > 0 and self.established <= self.retransmitting

    @property
    def address(self) -> str:
        """The endpoint's address without its port."""
        return self.endpoint.rpartition(":")[0].strip("[]")


@dataclass(frozen=True)
class Tls:
    """How one end of a connection to Typha knows the other: the name that it expects, whom its own certificate names
    and by whom it is signed, and the authorities it trusts, as (name, key identifier)."""

    expects_cn: str = ""
    expects_uri: str = ""
    cn: str = ""
    uris: tuple[str, ...] = ()
    issuer: str = ""
    issuer_key: str = ""
    trusts: tuple[tuple[str, str], ...] = ()

    def accepts(self, other: Tls) -> bool | None:
        """Whether the other end's certificate bears the name that is expected here; None where that is not told."""
        if not (other.cn or other.uris) or not (self.expects_cn or self.expects_uri):
            return None
        return (bool(self.expects_cn) and self.expects_cn == other.cn) or self.expects_uri in other.uris

    def trusts_issuer_of(self, other: Tls) -> bool | None:
        """Whether the authority that signed the other end's certificate is trusted here; None where not told."""
        if not other.issuer or not self.trusts:
            return None
        named = [key for name, key in self.trusts if name == other.issuer]
        if not other.issuer_key or not all(named):
            return bool(named)
        return other.issuer_key in named


@dataclass(frozen=True)
class Health:
    """What a program says of itself on its health port, and by name what each part reports that is not well."""

    state: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    process: str = ""


@dataclass(frozen=True)
class TyphaClient:
    """Where Felix looks for Typha (a service as namespace/name, or an address) and its connections there."""

    service: str = ""
    address: str = ""
    service_address: str = ""
    connections: tuple[Connections, ...] = ()
    tls: Tls = field(default_factory=Tls)

    @property
    def wanted(self) -> bool:
        """Felix was told to use a Typha."""
        return bool(self.service or self.address)

    @property
    def connected(self) -> bool:
        """A connection to a Typha is established, and what was sent over it is acknowledged."""
        return any(one.established > one.retransmitting for one in self.connections)


@dataclass(frozen=True)
class TyphaHere:
    """A Typha that runs on this host."""

    health: Health = field(default_factory=Health)
    listens: bool | None = None
    clients: int | None = None
    tls: Tls = field(default_factory=Tls)


@dataclass(frozen=True)
class Service:
    """Kubelet or the container runtime. running None: not told. state T, t or D: stopped by a signal, or hanging."""

    running: bool | None = None
    process: str = ""
    started_seconds_ago: int | None = None
    state: str = ""
    socket_missing: str = ""


@dataclass(frozen=True)
class Certificate:
    """A certificate that needs attention. state: expired, not_yet_valid, expires_soon or unreadable."""

    path: str
    state: str
    not_before: str = ""
    not_after: str = ""


@dataclass(frozen=True)
class Cni:
    """CNI configurations of the host, and the times of the token that Calico's plugin shows to the API server."""

    files: tuple[str, ...] = ()
    plugin: str = ""
    token_age_seconds: int | None = None
    token_expires_in_seconds: int | None = None


@dataclass(frozen=True)
class HostLine:
    """A telling line of a log of Calico's programs, Typha, the CNI plugin, flannel or kubelet. quiet: for how long the
    log goes on without another one, where that is long."""

    component: str
    kind: str
    text: str
    at: str = ""
    count: int = 1
    quiet: int = 0


@dataclass(frozen=True)
class FlowBlock:
    """A rule of this host's own firewall that stops connections to Typha's port with some peers.

    packed: the peers as node_facts packs them, which is not undone before somebody asks; empty: all peers. place: the
    rule as a record; rule: in words.
    """

    verdict: str
    rule: str
    packed: Mapping[str, str] = field(default_factory=dict)
    place: Rule | None = None

    def concerns(self, address: str) -> bool:
        """The rule stops connections with this peer."""
        return not self.packed or any(address == peer for peer in unpack(dict(self.packed)))


@dataclass(frozen=True)
class ControlPlane:
    """Everything that a node tells about what governs it.

    clock_ahead: by how much its clock is ahead of the controller's (negative: behind), wrong by clock_error at most.
    typha_outbound, typha_inbound: what this host's own firewall stops of the connections to TCP 5473 that it opens, and
    of those that peers open.
    """

    apiserver: tuple[Connections, ...] = ()
    typha: TyphaClient = field(default_factory=TyphaClient)
    typha_here: TyphaHere | None = None
    felix: Health = field(default_factory=Health)
    kubelet: Service = field(default_factory=Service)
    runtime: Service = field(default_factory=Service)
    certificates: tuple[Certificate, ...] = ()
    cni: Cni | None = None
    log: tuple[HostLine, ...] = ()
    clock_ahead: float | None = None
    clock_error: float = 0.0
    typha_outbound: tuple[FlowBlock, ...] = ()
    typha_inbound: tuple[FlowBlock, ...] = ()

    def lines(self, *kinds: str) -> list[HostLine]:
        """The telling lines of these kinds."""
        return [line for line in self.log if line.kind in kinds]


def read(facts: Mapping[str, Any]) -> ControlPlane:
    """Read one node's facts. What is absent or of a wrong type is as if it had not been told."""
    host = plain.mapping(plain.mapping(facts.get("calico_node")).get("host"))
    control = plain.mapping(host.get("control_plane"))
    clock = plain.mapping(facts.get("calico_chrony"))
    return ControlPlane(
        apiserver=tuple(_connections(control.get("apiserver"))),
        typha=_typha(plain.mapping(control.get("typha"))),
        typha_here=_typha_here(plain.mapping(control.get("typha_here"))),
        felix=_health(plain.mapping(control.get("felix"))),
        kubelet=_service(plain.mapping(host.get("kubelet"))),
        runtime=_service(plain.mapping(host.get("container_runtime"))),
        certificates=tuple(_certificates(host)),
        cni=_cni(plain.mapping(host.get("cni"))),
        log=tuple(_log(host)),
        clock_ahead=_signed(clock.get("offset_to_controller_seconds")),
        clock_error=plain.seconds(clock.get("offset_to_controller_error_seconds")),
        typha_outbound=tuple(_blocked(facts, "outbound")),
        typha_inbound=tuple(_blocked(facts, "inbound")),
    )


def _connections(value: Any) -> Iterator[Connections]:
    for endpoint, entry in plain.mapping(value).items():
        item = plain.mapping(entry)
        yield Connections(
            endpoint=plain.text(endpoint),
            established=plain.count(item.get("established")),
            opening=plain.count(item.get("opening")),
            retransmitting=plain.count(item.get("retransmitting")),
            opened_by=plain.texts(item.get("opened_by")),
            told=plain.texts(item.get("told")),
            name=plain.text(item.get("name")),
            known=item.get("address") != "unknown",
        )


def _typha(item: Mapping[str, Any]) -> TyphaClient:
    return TyphaClient(
        service=plain.text(item.get("service")),
        address=plain.text(item.get("address")),
        service_address=plain.text(item.get("service_address")),
        connections=tuple(_connections(item.get("connections"))),
        tls=_tls(item),
    )


def _typha_here(item: Mapping[str, Any]) -> TyphaHere | None:
    if not item:
        return None
    return TyphaHere(_health(item), plain.flag(item.get("listens")), plain.integer(item.get("clients")), _tls(item))


def _tls(item: Mapping[str, Any]) -> Tls:
    expects, own = plain.mapping(item.get("expects")), plain.mapping(item.get("certificate"))
    return Tls(
        expects_cn=plain.text(expects.get("cn")),
        expects_uri=plain.text(expects.get("uri")),
        cn=plain.text(own.get("cn")),
        uris=plain.texts(own.get("uris")),
        issuer=plain.text(own.get("issuer")),
        issuer_key=plain.text(own.get("issuer_key")),
        trusts=tuple((plain.text(one.get("cn")), plain.text(one.get("key"))) for one in _trusted(item)),
    )


def _trusted(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    return plain.mappings(item.get("trusts"))


def _health(item: Mapping[str, Any]) -> Health:
    parts = {name: plain.text(told) for name, told in plain.mapping(item.get("parts")).items()}
    return Health(plain.text(item.get("state")), parts, plain.text(item.get("process")))


def _service(item: Mapping[str, Any]) -> Service:
    process = plain.text(item.get("process"))
    running = plain.flag(item.get("running"))
    return Service(
        running=True if process and running is None else running,
        process=process,
        started_seconds_ago=plain.integer(item.get("started_seconds_ago")),
        state=plain.text(item.get("state")),
        socket_missing=plain.text(item.get("socket_missing")),
    )


def _certificates(host: Mapping[str, Any]) -> Iterator[Certificate]:
    for item in plain.mappings(host.get("certificates")):
        yield Certificate(
            plain.text(item.get("path")),
            plain.text(item.get("state")),
            plain.text(item.get("not_before")),
            plain.text(item.get("not_after")),
        )


def _cni(item: Mapping[str, Any]) -> Cni | None:
    if not item:
        return None
    return Cni(
        files=plain.texts(item.get("files")),
        plugin=plain.text(item.get("plugin")),
        token_age_seconds=plain.integer(item.get("token_age_seconds")),
        token_expires_in_seconds=plain.integer(item.get("token_expires_in_seconds")),
    )


def _log(host: Mapping[str, Any]) -> Iterator[HostLine]:
    for item in plain.mappings(host.get("log")):
        yield HostLine(
            component=plain.text(item.get("component")),
            kind=plain.text(item.get("kind")),
            text=plain.text(item.get("text")),
            at=plain.text(item.get("at")),
            count=plain.count(item.get("count")) or 1,
            quiet=plain.count(item.get("quiet_seconds")),
        )


def _signed(value: Any) -> float | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < plain.GREATEST
    return float(value) if number else None


def _blocked(facts: Mapping[str, Any], direction: str) -> Iterator[FlowBlock]:
    flows = plain.mapping(plain.mapping(facts.get("calico_firewall")).get("flows"))
    for item in plain.mappings(flows.get(direction)):
        verdict = plain.text(item.get("verdict"))
        if TYPHA_FLOW in plain.texts(item.get("flows")) and verdict in ("drop", "reject"):
            rule = plain.mapping(item.get("rule"))
            told = " ".join(filter(None, (plain.text(rule.get(key)) for key in ("backend", "table", "chain", "text"))))
            peers = plain.mapping(item.get("peers"))
            packed = {prefix: peers[prefix] for prefix in peers if isinstance(peers[prefix], str)}
            yield FlowBlock(verdict, told, packed, rules.read(rule) if rule else None)
