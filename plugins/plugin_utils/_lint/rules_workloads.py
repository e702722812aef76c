# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about Calico's workloads, and about what an Installation tells the operator of them."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from .._evidence import plain
from .context import network_of, pod_of
from .model import Problem, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .context import Container, Context
    from .model import Document, Path

_METHODS = ("IP_AUTODETECTION_METHOD", "IP6_AUTODETECTION_METHOD")
_WITH_VALUE = ("interface=", "skip-interface=", "cidr=", "can-reach=")
_WITHOUT = ("", "first-found", "kubernetes-internal-ip")
_FIELDS = ("nodeAddressAutodetectionV4", "nodeAddressAutodetectionV6")
_CHOICES = ("firstFound", "kubernetes", "interface", "skipInterface", "canReach", "cidrs")
_WITHOUT_BIRD = ("vxlan", "none")
# The repositories of the projects whose programs a cluster with Calico or Canal runs.
IMAGES = re.compile(
    r"(?:^|/)(?:calico/[a-z0-9-]+|tigera/operator|flannel(?:-io)?/flannel|[a-z-]*hardened-calico)(?:[:@]|$)"
)
_FLOATING = ("latest", "master", "main", "release", "stable", "edge")
_PROBES = ("readinessProbe", "livenessProbe", "startupProbe")
_BIRD = re.compile(r"^-{1,2}bird6?-(?:ready|live)$")


def _is_loose(pattern: str) -> bool:
    """A pattern that also matches names which only contain what is meant."""
    return bool(pattern) and not pattern.startswith("^")


def _trap(method: str) -> str:
    """Why a method picks another address than the one that is meant, some day; ''."""
    word, _sign, value = method.partition("=")
    if method in ("", "first-found"):
        return "takes the address of whichever interface comes first: a new bridge, VPN or second card changes it"
    if word == "can-reach":
        return "follows the route to one address: it changes with the routes, and needs them (and DNS) at each start"
    if word == "interface" and any(_is_loose(one.strip()) for one in value.split(",")):
        return f"has a pattern that is not anchored: {value[:60]} also matches names that only contain it"
    return ""


def traps(context: Context) -> Iterator[Problem]:
    """Methods that work until the host changes."""
    for container in context.agents:
        if context.variable(container, "CALICO_NETWORKING_BACKEND") == "none":
            continue
        value, path = container.variable(_METHODS[0])
        detects = container.variable("IP")[0] == "autodetect" or not container.names("IP")
        if detects and not (value is None and container.names(_METHODS[0])):
            yield from _told(container.document, path, _METHODS[0], value or "")
        value, path = container.variable(_METHODS[1])
        if value is not None:
            yield from _told(container.document, path, _METHODS[1], value)
    for one in context.installations:
        for key, told, path in _autodetections(one):
            yield from _told(one, path, key, _as_method(told))


def _told(document: Document, path: Path, key: str, method: str) -> Iterator[Problem]:
    why = _trap(method)
    if why:
        yield Problem(document, path, f"{document.about}: {key} {method or '(not set: first-found)'} {why}.")


def _autodetections(one: Document) -> Iterator[tuple[str, dict[str, object], Path]]:
    for key in _FIELDS:
        told = network_of(one).get(key)
        if isinstance(told, dict):
            yield key, plain.mapping(told), ("spec", "calicoNetwork", key)


def _as_method(told: dict[str, object]) -> str:
    """What the operator makes of the field; kubernetes-internal-ip for what has no trap."""
    if told.get("firstFound") is True:
        return "first-found"
    for key, word in (("canReach", "can-reach"), ("interface", "interface")):
        if told.get(key):
            return f"{word}={plain.text(told[key])}"
    return "kubernetes-internal-ip"


def methods(context: Context) -> Iterator[Problem]:
    """Methods that calico-node does not know, or the operator refuses."""
    for container in context.agents:
        for name in _METHODS:
            value, path = container.variable(name)
            why = _invalid(value) if value else ""
            if why:
                yield Problem(container.document, path, f"{container.document.about}: {name} is {value!r}, {why}.")
    for one in context.installations:
        for key, told, path in _autodetections(one):
            given = [choice for choice in _CHOICES if told.get(choice)]
            if len(given) != 1:
                what = " and ".join(given) if given else "nothing"
                yield Problem(one, path, f"{one.about}: {key} says {what}; it takes exactly one method.")


def _invalid(method: str) -> str:
    if method in _WITHOUT:
        return ""
    if not method.startswith(_WITH_VALUE) or not method.partition("=")[2]:
        return "which is no method"
    word, _sign, value = method.partition("=")
    if word == "cidr" and not all(_is_network(one) for one in value.split(",")):
        return "in which a range of addresses is none"
    return ""


def _is_network(written: str) -> bool:
    try:
        ipaddress.ip_network(written.strip(), strict=False)
    except ValueError:
        return False
    return "/" in written


def probes(context: Context) -> Iterator[Problem]:
    """Probes for BIRD where none runs."""
    for container in context.agents:
        backend = context.variable(container, "CALICO_NETWORKING_BACKEND")
        if backend not in _WITHOUT_BIRD:
            continue
        for probe in _PROBES:
            command = plain.mapping(plain.mapping(container.raw.get(probe)).get("exec")).get("command")
            for index, word in enumerate(plain.sequence(command)):
                if _BIRD.match(plain.text(word)):
                    path = (*container.path, probe, "exec", "command", index)
                    says = (
                        f"{container.document.about}: the {probe} asks for BIRD ({plain.text(word)}), and the backend"
                    )
                    yield Problem(container.document, path, f"{says} is {backend}, which has none.")


def images(context: Context) -> Iterator[Problem]:
    """Images that mean another program tomorrow."""
    for container in context.containers:
        if IMAGES.search(container.image) and "@sha256:" not in container.image:
            tag = container.image.rpartition("/")[2].partition(":")[2]
            if not tag or tag.startswith(_FLOATING):
                says = f"{container.document.about}: the image {container.image[:120]} has no version of its own."
                yield Problem(container.document, (*container.path, "image"), says)


def tolerations(context: Context) -> Iterator[Problem]:
    """calico-node that keeps away from tainted nodes."""
    for container in context.agents:
        spec, path = pod_of(container.document)
        listed = plain.mappings(spec.get("tolerations"))
        for effect in ("NoSchedule", "NoExecute"):
            if not any(_tolerates(one, effect) for one in listed):
                says = f"{container.document.about} does not tolerate every taint of effect {effect}."
                yield Problem(container.document, (*path, "tolerations"), says)


def _tolerates(one: dict[str, object], effect: str) -> bool:
    return one.get("operator") == "Exists" and not one.get("key") and one.get("effect") in (None, "", effect)


def address_check(context: Context) -> Iterator[Problem]:
    """The check for duplicate addresses switched off."""
    for container in context.agents:
        value, path = container.variable("DISABLE_NODE_IP_CHECK")
        if (value or "").lower() == "true":
            says = f"{container.document.about}: DISABLE_NODE_IP_CHECK lets two nodes register one address."
            yield Problem(container.document, path, says)
    held: dict[str, Document] = {}
    for one in context.of("Node"):
        for key in ("IPv4Address", "IPv6Address"):
            address = one.annotations.get(f"projectcalico.org/{key}", "").partition("/")[0]
            other = held.setdefault(address, one) if address else one
            if other.name != one.name:
                says = f"{one.about} and {other.about} have the same address, {address}."
                path = ("metadata", "annotations", f"projectcalico.org/{key}")
                yield Problem(one, path, says, "critical")


def versions(context: Context) -> Iterator[Problem]:
    """Calico's programs in different versions."""
    first: Container | None = None
    for container in context.containers:
        image, tag = _calico(container.image)
        if not image:
            continue
        if first is None:
            first = container
        elif tag != _calico(first.image)[1]:
            says = (
                f"{container.document.about} runs {image} {tag}, and {first.document.about} {_calico(first.image)[1]}."
            )
            yield Problem(container.document, (*container.path, "image"), says)


def _calico(image: str) -> tuple[str, str]:
    """The name and version of one of Calico's own images; '' and ''."""
    name, _sign, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    of_calico = "/calico/" in f"/{image}" and re.match(r"v\d+\.\d+\.\d+", tag)
    return (name, tag) if of_calico else ("", "")


_AGENTS = ("DaemonSet",)
RULES = (
    Rule(
        "wrong_ip_autodetection",
        "minor",
        "The node's address is found in a way that depends on chance",
        "A node registers the address of another interface after a change of the host, and its sessions break.",
        "Use kubernetes-internal-ip (Installation: kubernetes: NodeInternalIP), cidr=RANGE, or interface=^NAME$.",
        (*_AGENTS, "Installation"),
        traps,
        policy=True,
    ),
    Rule(
        "autodetection_found_nothing",
        "major",
        "The method of autodetection is none",
        "calico-node ends at its start, or the operator refuses the Installation.",
        "Give exactly one of first-found, kubernetes-internal-ip, can-reach=, interface=, skip-interface=, cidr=.",
        (*_AGENTS, "Installation"),
        methods,
        policy=True,
    ),
    Rule(
        "bird_probe_without_bird",
        "major",
        "A probe asks for BIRD where the backend has none",
        "The pods never become ready, or are restarted again and again, and a roll-out stops at the first node.",
        "Remove the flags -bird-ready and -bird-live from the probes, or set CALICO_NETWORKING_BACKEND to bird.",
        _AGENTS,
        probes,
        policy=True,
    ),
    Rule(
        "image_unpinned",
        "minor",
        "An image of Calico has no version of its own",
        "Pods that are made anew run another version than the rest, on one node after the other.",
        "Name a released version (:v3.31.2), best with its digest (@sha256:…).",
        ("DaemonSet", "Deployment", "StatefulSet", "Pod"),
        images,
        policy=True,
    ),
    Rule(
        "calico_node_not_scheduled",
        "major",
        "calico-node does not tolerate every taint",
        "Tainted nodes get no calico-node: no routes, no policies, and no BGP sessions with them.",
        "Add the tolerations {effect: NoSchedule, operator: Exists} and {effect: NoExecute, operator: Exists}.",
        _AGENTS,
        tolerations,
        policy=True,
    ),
    Rule(
        "duplicate_node_ip",
        "minor",
        "Two nodes may have one address",
        "BIRD's configuration is refused on all other nodes, which then keep to an old one.",
        "Remove DISABLE_NODE_IP_CHECK; give each Node an address of its own.",
        (*_AGENTS, "Node"),
        address_check,
        policy=True,
    ),
    Rule(
        "image_versions_mixed",
        "minor",
        "Calico's programs have different versions",
        "Programs and custom resources of different releases need not understand each other.",
        "Give all of Calico's images the version of one release.",
        ("DaemonSet", "Deployment", "StatefulSet", "Pod"),
        versions,
    ),
)
