# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about what Felix is told: failsafe ports and MTUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._evidence import plain
from .context import network_of
from .model import Problem, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .context import Context
    from .model import Document, Path

IN, OUT = "failsafeInboundHostPorts", "failsafeOutboundHostPorts"
# What IPv4 must be able to carry (RFC 791), and what network cards go up to.
LEAST_MTU, MOST_MTU = 576, 9216
MTUS = ("ipipMTU", "vxlanMTU", "vxlanMTUV6", "wireguardMTU", "wireguardMTUV6")
_MAPS = ("calico-config", "canal-config", "rke2-canal-config")


def _lacks(document: Document, key: str, ports: tuple[int, ...]) -> bool:
    """The list is given, replaces Felix' own one by that, and has none of these TCP ports for every address."""
    listed = document.spec.get(key)
    if not isinstance(listed, list):
        return False
    return not any(
        one.get("port") in ports and plain.text(one.get("protocol") or "tcp").lower() == "tcp"
        for one in plain.mappings(listed)
    )


def _missing(context: Context, keys: tuple[str, ...], ports: tuple[int, ...], what: str) -> Iterator[Problem]:
    for one in context.calico("FelixConfiguration"):
        for key in keys:
            if _lacks(one, key, ports):
                says = f"{one.about}: {key} replaces the usual ports and has no TCP {what}."
                yield Problem(one, ("spec", key), says)


def bgp_port(context: Context) -> Iterator[Problem]:
    """Failsafe ports without BGP's."""
    yield from _missing(context, (IN, OUT), (179,), "179 (BGP)")


def typha_port(context: Context) -> Iterator[Problem]:
    """Failsafe ports without Typha's."""
    yield from _missing(context, (IN, OUT), (5473,), "5473 (Typha)")


def api_port(context: Context) -> Iterator[Problem]:
    """Failsafe ports by which Felix may not reach the API server."""
    yield from _missing(context, (OUT,), (6443, 443), "6443 (the Kubernetes API)")


def mtus(context: Context) -> Iterator[Problem]:
    """MTUs that no device has."""
    for document, path, value in _told_mtus(context):
        number = value if isinstance(value, int) else int(value) if value.isascii() and value.isdecimal() else None
        if number is None or (number and not LEAST_MTU <= number <= MOST_MTU):
            fits = f"0 (found out) or {LEAST_MTU} to {MOST_MTU} fit"
            says = f"{document.about}: {path[-1]} is {plain.text(value)[:20]}; {fits}."
            yield Problem(document, path, says)


def _told_mtus(context: Context) -> Iterator[tuple[Document, Path, int | str]]:
    for one in context.calico("FelixConfiguration"):
        for key in MTUS:
            value = one.spec.get(key)
            if value is not None:
                yield one, ("spec", key), value if isinstance(value, int) else plain.text(value)
    for one in context.installations:
        value = network_of(one).get("mtu")
        if value is not None:
            yield one, ("spec", "calicoNetwork", "mtu"), value if isinstance(value, int) else plain.text(value)
    for one in context.of("ConfigMap"):
        value = plain.mapping(one.raw.get("data")).get("veth_mtu")
        if one.name in _MAPS and value not in (None, ""):
            yield one, ("data", "veth_mtu"), plain.text(value)


_REPLACES = "A list that is given replaces Felix' own one; a policy for host endpoints then cuts"
RULES = (
    Rule(
        "host_endpoint_policy",
        "major",
        "Failsafe ports are given without BGP's",
        f"{_REPLACES} every BGP session of the hosts that it is for.",
        "Add {protocol: TCP, port: 179} to failsafeInboundHostPorts and failsafeOutboundHostPorts, or leave them out.",
        ("FelixConfiguration",),
        bgp_port,
        policy=True,
    ),
    Rule(
        "typha_port_blocked",
        "major",
        "Failsafe ports are given without Typha's",
        f"{_REPLACES} Felix and confd off from Typha, so that nothing that could repair the policy arrives any more.",
        "Add {protocol: TCP, port: 5473} to failsafeInboundHostPorts and failsafeOutboundHostPorts, or leave them out.",
        ("FelixConfiguration",),
        typha_port,
        policy=True,
    ),
    Rule(
        "apiserver_unreachable",
        "minor",
        "Failsafe ports are given without the API server's",
        f"{_REPLACES} the hosts that it is for off from the Kubernetes API.",
        "Add {protocol: TCP, port: 6443}, or the port that your API server has, to failsafeOutboundHostPorts.",
        ("FelixConfiguration",),
        api_port,
        policy=True,
    ),
    Rule(
        "mtu_misconfigured_value",
        "major",
        "An MTU is set that no device can have",
        "Interfaces are not made, or large packets are lost.",
        f"Leave it out or write 0, so that Calico finds it out, or a value from {LEAST_MTU} to {MOST_MTU}.",
        ("FelixConfiguration", "Installation", "ConfigMap"),
        mtus,
        policy=True,
    ),
)
