# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What calico-node finds out about its addresses when it starts. Pure: from its environment, the Node and the host.

As in Calico, node/pkg/lifecycle/startup/startup.go (3.29), in its words. Which address a method takes, the collection's
own reckoning decides (`_address.autodetect`).
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, NamedTuple

from .names import CALICO_VERSION, PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .objects import Object

    # detect(method, family): (address with prefix length or "", interface, why); None if there is no such method
    Detect = Callable[[str, str], "tuple[str, str, str] | None"]

IPV4, IPV6 = "ipv4", "ipv6"
_ANNOTATION = {IPV4: f"{PREFIX}IPv4Address", IPV6: f"{PREFIX}IPv6Address"}
_VARIABLE = {IPV4: ("IP", "IP_AUTODETECTION_METHOD"), IPV6: ("IP6", "IP6_AUTODETECTION_METHOD")}
_SPOKEN = {IPV4: "IPv4", IPV6: "IPv6"}


class Outcome(NamedTuple):
    """`annotations` to set (None: to take away), the log's lines as (level, text), and whether calico-node went on."""

    annotations: dict[str, str | None]
    log: tuple[tuple[str, str], ...]
    went_on: bool


class _Start:
    def __init__(self, environment: Mapping[str, str], node: Object, held: Sequence[str], detect: Detect) -> None:
        self.environment = environment
        self.stored = node["metadata"].get("annotations") or {}
        self.held = {str(each.ip): str(each) for text in held for each in [ipaddress.ip_interface(text)]}
        self.detect = detect
        self.log: list[tuple[str, str]] = [("INFO", "Early log level set to info")]
        self.annotations: dict[str, str | None] = {}

    def say(self, level: str, text: str) -> None:
        self.log.append((level, text))

    def ended(self) -> Outcome:
        self.say("WARNING", "Terminating")
        return Outcome({}, (*self.log, ("ERROR", "Calico node failed to start")), went_on=False)


def run(
    environment: Mapping[str, str], node: Object, others: Iterable[Object], held: Sequence[str], detect: Detect
) -> Outcome:
    """What a start leads to. `held`: the host's addresses with prefix length; `others`: the other Nodes."""
    start = _Start(environment, node, held, detect)
    start.say("INFO", f"Starting node {node['metadata']['name']} with version {CALICO_VERSION}")
    if environment.get("CALICO_NETWORKING_BACKEND") == "none":
        start.say("INFO", "Skipping datastore connection test")
        return Outcome({}, tuple(start.log), went_on=True)
    values = {}
    for family in (IPV4, IPV6):
        value = _address(start, family)
        if value is None:
            return start.ended()
        values[family] = value
    if not any(values.values()):
        start.say("WARNING", "No IPv4 or IPv6 addresses configured or detected, required for Calico networking")
        # What is out of date is cleared all the same.
        cleared = {_ANNOTATION[family]: None for family in values if _ANNOTATION[family] in start.stored}
        return start.ended()._replace(annotations=dict(cleared))
    for family, value in values.items():
        if value != start.stored.get(_ANNOTATION[family], ""):
            start.annotations[_ANNOTATION[family]] = value or None
    if start.annotations and environment.get("DISABLE_NODE_IP_CHECK") != "true" and _conflicts(start, values, others):
        return start.ended()
    start.say("INFO", "Using node name: " + node["metadata"]["name"])
    return Outcome(start.annotations, tuple(start.log), went_on=True)


def of_no_node(name: str) -> Outcome:
    """A start under a name of which Kubernetes has no Node."""
    log = (
        ("INFO", "Early log level set to info"),
        ("INFO", f"Starting node {name} with version {CALICO_VERSION}"),
        ("ERROR", f'Failed to read Node from datastore error=nodes "{name}" not found'),
        ("WARNING", "Terminating"),
        ("ERROR", "Calico node failed to start"),
    )
    return Outcome({}, log, went_on=False)


def _address(start: _Start, family: str) -> str | None:
    """The address of a family with prefix length, "" for none, None if calico-node ends over it."""
    variable, method_variable = _VARIABLE[family]
    wish = start.environment.get(variable, "")
    stored = str(start.stored.get(_ANNOTATION[family], ""))
    spoken = _SPOKEN[family]
    if wish == "none" or (family == IPV6 and not wish):
        if wish:
            start.say("INFO", f"Autodetection for {spoken} disabled, keeping existing value")
        return stored
    if wish and wish != "autodetect":
        return _given(start, wish, family)
    if not wish and stored:
        return stored
    return _detected(start, start.environment.get(method_variable, "") or "first-found", family, wish, stored)


def _given(start: _Start, text: str, family: str) -> str | None:
    spoken = _SPOKEN[family]
    try:
        interface = ipaddress.ip_interface(text)
    except ValueError:
        start.say("ERROR", f"Error parsing IP CIDR '{text}'")
        return None
    held = start.held.get(str(interface.ip))
    if held is None:
        start.say("WARNING", f"Unable to confirm {spoken} address {interface.ip} is assigned to this host")
    start.say("INFO", f"Using {spoken} address from environment: {_VARIABLE[family][0]}={text}")
    return str(interface) if "/" in text or held is None else held


def _detected(start: _Start, method: str, family: str, wish: str, stored: str) -> str | None:
    spoken = _SPOKEN[family]
    found = start.detect(method, family)
    if found is None:
        start.say("ERROR", f"Invalid IP autodetection method: {method}")
        return None
    value, interface, why = found
    if value:
        start.say("INFO", _success(method, value, interface, spoken))
        if stored and stored != value:
            start.say(
                "WARNING",
                f"{spoken} address has changed. This could happen if there are multiple nodes with the same name.",
            )
        return value
    start.say("WARNING", f"Unable to auto-detect an {spoken} address: {why}")
    words = "If auto-detecting, choose a different autodetection method. Otherwise provide an explicit address."
    start.say("WARNING", f"Couldn't autodetect an {spoken} address. {words}")
    if wish == "autodetect":
        if stored:
            start.say("INFO", f'Clearing out-of-date {spoken} address from this node IP=""')
        return ""
    return stored


def _success(method: str, value: str, interface: str, spoken: str) -> str:
    if method.startswith("interface="):
        return f"Using autodetected {spoken} address {value} on matching interface {interface}"
    if method.startswith("can-reach="):
        return f"Using autodetected {spoken} address {value}, detected by connecting to {method.partition('=')[2]}"
    return f"Using autodetected {spoken} address on interface {interface}: {value}"


def _conflicts(start: _Start, values: Mapping[str, str], others: Iterable[Object]) -> bool:
    """Whether another Node has the address that is new here."""
    found = False
    for other in others:
        annotations: dict[str, Any] = other["metadata"].get("annotations") or {}
        for family, value in values.items():
            theirs = str(annotations.get(_ANNOTATION[family], "")).partition("/")[0]
            if value and theirs == value.partition("/")[0]:
                name, spoken = other["metadata"]["name"], _SPOKEN[family]
                start.say("WARNING", f"Calico node '{name}' is already using the {spoken} address {theirs}.")
                start.say("ERROR", f"conflicting node detected: {spoken} address conflict")
                found = True
    return found
