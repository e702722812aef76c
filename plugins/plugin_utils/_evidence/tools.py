# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tools said of BIRD that were asked by hand, and where its control socket is to be had.

The shapes are those of RV(ansible_facts.calico_node.host) and RV(ansible_facts.calico_bgp) of
M(netmedic.calico.node_facts); complaints are only told of texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

_ABSENT = "not running"


@dataclass(frozen=True)
class Complaint:
    """A tool that did not get at BIRD. socket: where it looked; ''. family: of which BIRD it speaks; '' of both."""

    tool: str
    socket: str
    said: str
    family: str = ""


@dataclass(frozen=True)
class Tools:
    """complaints: of tools. sockets: BIRD's by path, with why they are known. hidden: those that exist in BIRD's own
    container only, so that a tool on the host finds none."""

    complaints: tuple[Complaint, ...] = ()
    sockets: tuple[tuple[str, str], ...] = ()
    hidden: tuple[str, ...] = ()

    @property
    def no_calico(self) -> str:
        """calicoctl's words for having found no process of Calico's; '' if it did not say so."""
        return next((one.said for one in self.complaints if one.tool == "calicoctl" and _ABSENT in one.said), "")


def read(facts: Mapping[str, Any]) -> Tools:
    """Read one node's facts. What is absent or of a wrong type is as if it had not been told."""
    host = plain.mapping(plain.mapping(facts.get("calico_node")).get("host"))
    told = plain.mapping(host.get("tools"))
    daemons = plain.mapping(plain.mapping(facts.get("calico_bgp")).get("daemons"))
    return Tools(
        tuple(
            Complaint(*(plain.text(one.get(key)) for key in ("tool", "socket", "said", "family")))
            for one in plain.mappings(told.get("complaints"))
        ),
        tuple(
            (plain.text(one.get("path")), plain.text(one.get("why")))
            for one in plain.mappings(told.get("bird_sockets"))
        ),
        tuple(
            plain.text(plain.mapping(one).get("socket"))
            for one in daemons.values()
            if plain.mapping(one).get("socket_hidden") is True
        ),
    )
