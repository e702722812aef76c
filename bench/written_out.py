# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same facts with nothing packed: every session end is a record, as bgp_facts returns one that it does not pack.

They are hundreds of megabytes, so they are made and read node by node, and never all in memory.
"""

from __future__ import annotations

import importlib
import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKING = "ansible_collections.netmedic.calico.plugins.module_utils._facts.packing"


class Reading(NamedTuple):
    """What reading the facts of all nodes as JSON took. seconds are processor time."""

    seconds: float
    ends: int
    size: int


def reading(facts: Mapping[str, Mapping[str, Any]]) -> Reading:
    """Write out each node's facts, and take the time of `json.loads` of each text; the writing is not counted."""
    seconds, ends, size = 0.0, 0, 0
    for node in facts.values():
        told = written_out(node)
        ends += len(told["calico_bgp"]["daemons"]["ipv4"]["sessions"])
        text = json.dumps(told)
        size += len(text)
        began = time.process_time()
        json.loads(text)
        seconds += time.process_time() - began
    return Reading(seconds, ends, size)


def written_out(node: Mapping[str, Any]) -> dict[str, Any]:
    """A node's facts with a list of all its IPv4 sessions in place of the packed ones and of those in trouble."""
    unpack = importlib.import_module(PACKING).unpack
    daemon = dict(node["calico_bgp"]["daemons"]["ipv4"])
    own = daemon["config"]["local_address"]
    up = [_established(own, peer) for peer in unpack(daemon.pop("peers")["packed"]["Mesh"])]
    daemon["sessions"] = [*up, *daemon.pop("troubled")]
    return {**node, "calico_bgp": {**node["calico_bgp"], "daemons": {"ipv4": daemon}}}


def _established(own: str, peer: str) -> dict[str, Any]:
    """What BIRD tells of a session that is up, with the keys and in the form of bgp_facts."""
    return {
        "name": f"Mesh_{peer.replace('.', '_')}",
        "kind": "Mesh",
        "peer": peer,
        "port": 179,
        "state": "up",
        "bgp_state": "Established",
        "since_seconds_ago": 86000,
        "neighbor_as": 64512,
        "hold_timer": "175/240",
        "routes_imported": 1,
        "routes_exported": 1,
        "neighbor_id": peer,
        "local_as": 64512,
        "source": own,
        "passive": peer > own,
        "password": False,
    }
