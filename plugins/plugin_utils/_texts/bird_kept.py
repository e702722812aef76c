# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The peers of the mesh that BIRD names when it reads its configuration anew: calico_bgp.kept, a list of addresses.

With debugging of states, as confd's templates have it, BIRD 1.6 says of every protocol what becomes of it
(nest/proto.c): "Mesh_10_0_0_2: Reconfigured", "Adding protocol Mesh_10_0_0_3", "Restarting protocol …". A peer that it
never names is not in what it runs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...module_utils._bird import log

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 5000
_LOGS = ("bird.log", "bird6.log", "calico-node.log")
_NAMED = re.compile(r"\bbird6?: (?:(?:Adding|Restarting) protocol (Mesh_\w{1,64})|(Mesh_\w{1,64}): Reconfigured\b)")


def facts(texts: Mapping[str, str]) -> list[str]:
    """Return calico_bgp.kept of a node's texts by their names; nothing unless BIRD kept a peer at least."""
    found: dict[str, None] = {}
    kept = False
    for name in _LOGS:
        for match in _NAMED.finditer(texts.get(name, "")):
            address = log.peer_in_name(match.group(1) or match.group(2))
            kept = kept or match.group(2) is not None
            if address and len(found) < MOST:
                found[address] = None
    return list(found) if kept else []
