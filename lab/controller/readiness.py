# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""calico-node's readiness probe: what it says about a BIRD. Pure, in the words of releases up to 3.30.

As in Calico, node/pkg/health/health.go (checkBIRDReady). Felix is taken for ready: there is none in the lab.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..services import SOCKET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..birdc import Session

# 30 s in Calico, with a probe every 10 s; shortened like the time between the probes (`kubelet.PROBE_SECONDS`).
THRESHOLD = 10.0
_NOT_READY = "calico/node is not ready: BIRD is not ready: "
_KINDS = ("Mesh_", "Node_", "Global_")


def words(sessions: Sequence[Session], age: float | None, restarting: bool) -> str:
    """Why the node is not ready, "" if it is.

    `age`: seconds since calico-node started, None if it has not written its name. `restarting`: BIRD says that a
    graceful restart is in progress.
    """
    if age is None:
        return _NOT_READY + f"Failed to stat() nodename file: stat {_NODENAME}: no such file or directory"
    peers = [each for each in sessions if each.name.startswith(_KINDS) and each.state != "down"]
    down = [each for each in peers if not each.established]
    if not peers:
        return ""
    if age < THRESHOLD:
        if down:
            return _NOT_READY + f"BGP not established with {_listed(down)}"
        return _NOT_READY + "graceful restart in progress" if restarting else ""
    return _NOT_READY + f"BGP not established with {_listed(down)}" if len(down) == len(peers) else ""


_NODENAME = "/var/lib/calico/nodename"


def unreachable(why: str) -> str:
    """What is said when BIRD's socket cannot be talked to; `why` as `birdc.BirdError` has it."""
    places = {"BIRD has no control socket": ("/var/run/bird/bird.ctl", "no such file or directory")}
    place, reason = places.get(why, (f"/var{SOCKET}", "connection refused"))
    if "does not answer" in why:
        return _NOT_READY + "Error querying BIRD: read unix @->/var/run/calico/bird.ctl: i/o timeout"
    return _NOT_READY + f"Error querying BIRD: unable to connect to BIRDv4 socket: dial unix {place}: connect: {reason}"


def established(sessions: Sequence[Session]) -> int:
    """The number that the probe writes into its log."""
    return sum(each.established for each in sessions)


def _listed(sessions: Sequence[Session]) -> str:
    return ",".join(_address(each.name) for each in sessions)


def _address(name: str) -> str:
    """The peer's address from the protocol's name."""
    text = name.partition("_")[2].partition("_port_")[0]
    return text.replace("_", "." if text.count("_") == 3 else ":")
