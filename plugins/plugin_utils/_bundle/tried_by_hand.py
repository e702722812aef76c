# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people tried by hand and pasted (ping, nc, curl, dig …), as observations like those of environment.yml.

Whether it was a node or a pod that asked, and on which node the one lies that was asked, is told by prompts, by
`kubectl exec`, and by addresses and names that other texts of the bundle tell. An end of which nothing tells is named
as it was, and no conclusion is drawn from where it might be.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from .._cluster import documents, tables
from .._evidence import plain
from .._evidence.observations import LARGEST_TRIED, MOST, Observation, names_of
from .._texts import kinds, recognise, tried, tried_lookup
from . import layouts, typed_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node
    from .._texts.tried import Attempt

# Headers of IPv4 and of IPv6, with that of an ICMP echo.
_HEADERS = {4: 28, 6: 48}
_SERVICE = re.compile(
    r"(?m)^(?:[a-z0-9-]{1,63}\s+)?(?P<name>[a-z0-9][a-z0-9-]{0,62})\s+(?:ClusterIP|NodePort|LoadBalancer)\s+"
    r"(?P<address>[0-9a-fA-F][0-9a-fA-F.:]{2,44})\s"
)
_OF_A_SERVICE = re.compile(r"(?P<name>[a-z0-9-]{1,63})(?:\.[a-z0-9-]{1,63}(?:\.svc(?:\.[\w.-]{1,200})?)?)$")


class Tried(NamedTuple):
    """A text of somebody's attempts: its path, the node in whose folder it lies, the host of the prompt before it, what
    was typed, and the pod in whose shell that was; '' where nothing tells."""

    path: str
    node: str
    host: str
    command: str
    inside: str
    kind: str
    text: str


def observations(texts: Iterable[Tried], others: Mapping[str, str], evidence: Evidence) -> tuple[Observation, ...]:
    """Return what was tried, in the order of the texts; `others` are the bundle's texts about the cluster."""
    texts = list(texts)
    if not texts:
        return ()
    places = _Places(others, evidence)
    found: dict[Observation, None] = {}
    for one in texts:
        for observation in _of_text(one, places):
            found.setdefault(observation)
            if len(found) >= MOST:
                return tuple(found)
    return tuple(found)


def _of_text(one: Tried, places: _Places) -> Iterator[Observation]:
    prompt = "" if not one.command or one.command in one.text.partition("\n")[0] else f"$ {one.command}\n"
    _kind, parsed = kinds.parse(prompt + one.text[:LARGEST_TRIED], one.kind)
    for attempt in parsed.value or ():
        source = places.source(one, attempt)
        target, known = places.end(attempt.target)
        if _is_of_the_cluster(one, attempt) and not known and not target.startswith("service "):
            target = f"service {attempt.target or 'of the cluster for names'}"
        # Of a name that nobody is known to have been asked for, there is nothing to tell.
        if target or attempt.port != tried_lookup.DNS:
            yield from _observed(attempt, source or _somewhere(one), target, places, outside=not (source and known))


def _somewhere(one: Tried) -> str:
    """Return the pod that asked, of which it is not known where it is; '' if it was none or has no name."""
    inside = typed_in.pod(one.command) or one.inside
    return f"pod {inside}" if inside not in ("", typed_in.SOMEWHERE) else ""


def _is_of_the_cluster(one: Tried, attempt: Attempt) -> bool:
    """Say whether a pod asked the name server of its own resolv.conf, which is the cluster's Service."""
    in_pod = bool(typed_in.pod(one.command) or one.inside)
    return in_pod and attempt.port == tried_lookup.DNS and not tried_lookup.asked(one.command)


def _observed(attempt: Attempt, source: str, target: str, places: _Places, *, outside: bool) -> Iterator[Observation]:
    """Yield what was seen; of a way that was said to carry less than was sent, also what that means."""
    result = tried.UNREACHABLE if attempt.result == tried.LOOP else attempt.result
    if not result and not attempt.carries:
        return
    made = Observation(
        attempt.check, source, target, result, attempt.port, attempt.size, outside=outside, said=attempt.said
    )
    if result:
        yield made
    if attempt.result == tried.TOO_LARGE_HERE and not places.is_learnt(source, attempt.carries):
        return
    if attempt.carries and not outside and places.is_too_little(source, target, attempt.carries):
        headers = _HEADERS[6 if ":" in attempt.target else 4]
        passes = attempt.carries - headers
        lost = attempt.size if attempt.size and attempt.size > passes else passes + 1
        yield Observation("ping", source, target, tried.OPEN, size=passes)
        yield Observation("ping", source, target, tried.TIMEOUT, size=lost)


class _Places:
    """Which names and addresses are nodes, which are pods on which node, and which are Services'."""

    def __init__(self, others: Mapping[str, str], evidence: Evidence) -> None:
        self._evidence = evidence
        self._nodes = {name: node.name for node in evidence.nodes.values() for name in names_of(node)}
        for record in evidence.registered:
            for name in (record.name, record.record, record.address("ipv4"), record.address("ipv6")):
                if name:
                    self._nodes.setdefault(name.lower(), record.node.name if record.node else record.name)
        self._pods: dict[str, str] = {}
        self._services: dict[str, str] = {}
        for path, text in others.items():
            for plural, entry in objects(path, text):
                self._take(plural, entry)
            for match in _SERVICE.finditer(text[:LARGEST_TRIED]):
                self._serves(match.group("name"), match.group("address"))
        self._pools = [pool for one in (evidence.cluster.pools if evidence.cluster else ()) if (pool := _net(one.cidr))]

    def _take(self, kind: str, entry: Mapping[str, Any]) -> None:
        spec, status = plain.mapping(entry.get("spec")), plain.mapping(entry.get("status"))
        name = plain.text(plain.mapping(entry.get("metadata")).get("name")).lower()
        if kind == "services":
            self._serves(name, plain.text(spec.get("clusterIP")))
        elif kind == "nodes":
            addresses = (plain.text(one.get("address")) for one in plain.mappings(status.get("addresses")))
            for known in (name, *addresses):
                self._nodes.setdefault(known.lower(), name)
        elif kind == "pods" and name:
            node, address = plain.text(spec.get("nodeName")), plain.text(status.get("podIP"))
            on_host = spec.get("hostNetwork") is True or bool(layouts.pod(name))
            place = self._nodes.get(node.lower(), node)
            shown = place if on_host or address.lower() in self._nodes else f"pod-on-{place}" if place else ""
            for known in (name, address.lower()):
                # A name or an address that two pods have tells nothing.
                self._pods[known] = shown if self._pods.get(known, shown) == shown else ""

    def _serves(self, name: str, address: str) -> None:
        for known in (name.lower(), address.lower()):
            if known and known != "none":
                self._services[known] = f"service {name or address}"

    def source(self, one: Tried, attempt: Attempt) -> str:
        """Return the end that tried something, '' if that is not known."""
        inside = typed_in.pod(one.command) or one.inside
        if inside:
            return self._pod(inside)
        asked = typed_in.debugged_node(one.command)
        if asked:
            return self._nodes.get(asked.lower(), asked)
        if attempt.source.lower() in self._pods:
            return self._pods[attempt.source.lower()]
        if one.host:
            return self._pods.get(one.host.lower()) or self._node(one.host) or one.host
        return self._nodes.get(attempt.source.lower(), "") or one.node or self._folder(one.path)

    def _folder(self, path: str) -> str:
        """Return the node after which a text's folder is called; '' if none is, or several are."""
        named = {node for part in path.split("/")[:-1] if (node := self._node(part))}
        return named.pop() if len(named) == 1 else ""

    def _pod(self, name: str) -> str:
        if layouts.pod(name):
            return self._pods.get(name.lower(), "")
        return "" if name == typed_in.SOMEWHERE else self._pods.get(name.lower(), "")

    def _node(self, name: str) -> str:
        """Return the node that is called so, or so without its domain; '' if there is none."""
        short = name.lower().partition(".")[0]
        return self._nodes.get(name.lower(), "") or self._nodes.get(short, "")

    def end(self, name: str) -> tuple[str, bool]:
        """Return what was asked, and whether it is known to be a node or a pod."""
        known = self._node(name) if not _is_address(name) else self._nodes.get(name.lower(), "")
        known = known or self._pods.get(name.lower(), "")
        if known:
            return known, True
        service = self._services.get(name.lower(), "")
        named = _OF_A_SERVICE.match(name)
        if not service and named is not None and (".svc" in name or named.group("name") in self._services):
            service = f"service {named.group('name')}"
        if service:
            return service, False
        address = _net(name)
        in_pool = address is not None and any(
            pool.version == address.version and address.subnet_of(pool) for pool in self._pools
        )
        return (f"pod {name}" if in_pool else name), False

    def is_learnt(self, place: str, carries: int | None) -> bool:
        """Say whether it is less than the node's interface carries, so that somebody on the way told it."""
        node = self._evidence.nodes.get(place)
        host = node.sizes.host if node is not None else None
        return host is not None and carries is not None and carries < host

    def is_too_little(self, place: str, target: str, carries: int) -> bool:
        """Say whether pods need more than a way carries; between nodes that takes what pods' packets come to there."""
        if place.startswith("pod-on-") or target.startswith("pod-on-"):
            return place != target
        needed = [_needed(node) for end in (place, target) if (node := self._evidence.nodes.get(end)) is not None]
        required = next(filter(None, needed), None)
        return required is not None and carries < required


def _needed(node: Node) -> int | None:
    """Return what the largest packets of a node's pods come to between nodes, None where nothing tells."""
    if node.mtu is not None and node.mtu.required:
        return node.mtu.required
    sizes = node.sizes
    tunnels = [one.mtu for one in sizes.tunnels if one.up and one.mtu]
    pods = max(sizes.workloads, default=0) or sizes.cni or sizes.written or (sizes.pods and min([sizes.pods, *tunnels]))
    return pods + sizes.overhead if pods else None


def objects(path: str, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the pods, nodes and Services of a text, each with its plural kind."""
    kind = recognise.recognise(text, path)
    if kind == "objects":
        for one in documents.read(text).objects:
            plural = _PLURALS.get(plain.text(one.get("kind")))
            if plural:
                yield plural, one
    elif kind in ("pods", "nodes", "describe"):
        yield from tables.READERS[kind](text)


_PLURALS = {"Pod": "pods", "Service": "services"}


def _is_address(name: str) -> bool:
    return _net(name) is not None


def _net(text: str) -> Any:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
