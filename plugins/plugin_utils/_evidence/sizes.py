# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sizes of packets a node was told, what it made of that, and what would fit its interfaces.

The shapes are those of RV(ansible_facts.calico_mtu) of M(netmedic.calico.mtu_facts); everything in bytes. Everything
here says "not told" by being empty or None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 8


@dataclass(frozen=True)
class Tunnel:
    """A tunnel device."""

    name: str
    kind: str
    mtu: int
    up: bool | None = None


@dataclass(frozen=True)
class Sizes:
    """host: the MTU that Felix finds on the interface (''). given: by device what calico-node was told to use. cni and
    written: the pods' MTU by the CNI configuration (0: take what is written) and by Calico's file. workloads: how many
    of pods' interfaces have which MTU. overhead: what the encapsulation in use adds. links: the host's
    other tunnels.
    """

    host: int | None = None
    interface: str = ""
    pods: int | None = None
    given: Mapping[str, int] = field(default_factory=dict)
    cni: int | None = None
    cni_path: str = ""
    written: int | None = None
    workloads: Mapping[int, int] = field(default_factory=dict)
    tunnels: tuple[Tunnel, ...] = ()
    encapsulation: str = ""
    overhead: int = 0
    links: tuple[str, ...] = ()


def read(facts: Mapping[str, Any]) -> Sizes:
    """Read one node's facts. What is absent or of a wrong type is as if it had not been told."""
    mtu = plain.mapping(facts.get("calico_mtu"))
    automatic, configured = plain.mapping(mtu.get("automatic")), plain.mapping(mtu.get("configured"))
    cni, encapsulation = plain.mapping(configured.get("cni")), plain.mapping(mtu.get("encapsulation"))
    return Sizes(
        host=plain.integer(automatic.get("host")) if automatic.get("interface") else None,
        interface=plain.text(automatic.get("interface")),
        pods=plain.integer(automatic.get("pods")),
        given=_numbers(automatic.get("set")),
        cni=plain.integer(cni.get("mtu")),
        cni_path=plain.text(cni.get("path")),
        written=plain.integer(configured.get("calico_mtu_file")),
        workloads={
            int(size): plain.count(number)
            for size, number in plain.mapping(plain.mapping(mtu.get("workloads")).get("mtus")).items()
            if size.isascii() and size.isdigit() and len(size) < _LONGEST
        },
        tunnels=tuple(
            Tunnel(
                plain.text(one.get("name")),
                plain.text(one.get("kind")),
                plain.count(one.get("mtu")),
                plain.flag(one.get("up")),
            )
            for one in plain.mappings(mtu.get("tunnels"))
        ),
        encapsulation=plain.text(encapsulation.get("kind")),
        overhead=plain.count(encapsulation.get("overhead")),
        links=plain.texts(mtu.get("other_tunnels")),
    )


def _numbers(value: Any) -> dict[str, int]:
    return {name: plain.count(number) for name, number in plain.mapping(value).items() if plain.count(number)}
