# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions as pairs of nodes: finding them, breaking them loose, telling whether they are up.

After a fault is made, a session that was up may stay "established" up to its hold time (240 s). `reset` makes both ends
notice at once, as an operator's `birdc restart` does: first the listener's end, whose farewell still goes out through a
block of *incoming* connections, then the dialler's end.

The `not_…` functions are for `Fault.missing`. They look past sessions that another active fault disturbs.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from .. import birdc, waiting
from ..bird_config import dials, mesh_name
from ..errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..lab import Lab
    from ..topology import Node
    from .model import Case


# A healed BIRD answers within a second; one that another fault keeps down never does.
_START_LIMIT = 5.0


class Pair(NamedTuple):
    """A session's two ends by their part."""

    listener: Node
    dialler: Node

    @property
    def ends(self) -> tuple[tuple[Node, Node], tuple[Node, Node]]:
        """(node, its peer) for both ends, the listener first."""
        return ((self.listener, self.dialler), (self.dialler, self.listener))


def between(node: Node, peers: Iterable[Node]) -> list[Pair]:
    """The sessions of a node with some peers."""
    return [Pair(peer, node) if dials(node.address, peer.address) else Pair(node, peer) for peer in peers]


def listening(node: Node, peers: Iterable[Node]) -> list[Pair]:
    """Those in which the node is dialled."""
    return [pair for pair in between(node, peers) if pair.listener == node]


def all_but(lab: Lab, node: Node) -> list[Pair]:
    """The sessions of all other nodes with each other: those that a fault of one node must not touch."""
    others = [each for each in lab.nodes if each != node]
    return [pair for index, each in enumerate(others) for pair in between(each, others[index + 1 :])]


def reset(lab: Lab, pairs: Iterable[Pair]) -> None:
    """Restart both ends of each session; an end whose BIRD does not answer is left alone."""
    pairs = list(pairs)
    for side in (0, 1):
        for pair in pairs:
            node, peer = pair.ends[side]
            _restart(lab, node, mesh_name(peer.address))


def forget_neighbour(lab: Lab, address: str) -> None:
    """Let all hosts forget who has an address, as they do by themselves within a minute."""
    for machine in (lab.fabric, *(lab.machine(node.name) for node in lab.nodes)):
        if machine.running:
            machine.exec(["ip", "neighbour", "flush", "to", address], check=False)


def nudge(lab: Lab) -> None:
    """Restart every end that is not established, so that healing does not wait for BIRD's retry timers (up to 30 s)."""
    if lab.plan.topology.overlay:
        return
    with suppress(LabError):
        waiting.until(lambda: _not_answering(lab), "BIRD to answer", _START_LIMIT)
    for node in lab.nodes:
        for name, session in _sessions(lab, node).items():
            if not session.established:
                _restart(lab, node, name)


def not_down(case: Case, pairs: Iterable[Pair]) -> str:
    """Words if a session is established at either end; "" if all are down."""
    for pair in case.undisturbed(pairs):
        for node, peer in pair.ends:
            session = end(case.lab, node, peer)
            if session is not None and session.established:
                return f"{node.name} still has {session.name} established"
    return ""


def not_failing(case: Case, pairs: Iterable[Pair], error: str = "") -> str:
    """Words unless all sessions are down at both ends and each dialler has tried in vain; see `not_tried`."""
    pairs = list(pairs)
    return not_tried(case, pairs, error) or not_down(case, pairs)


def not_tried(case: Case, pairs: Iterable[Pair], error: str = "") -> str:
    """Words unless each dialler has tried in vain.

    With `error` ("Socket:" or more of the text) it must show that error. Without, it is enough to be seen in Connect:
    a call that gets through stays there for milliseconds only.
    """
    for pair in case.undisturbed(pairs):
        calling = end(case.lab, pair.dialler, pair.listener)
        if calling is None or not tried(calling, error):
            return f"{pair.dialler.name} has not tried {pair.listener.name} in vain yet ({_words(calling)})"
    return ""


def tried(session: birdc.Session, error: str = "") -> bool:
    """True if a dialling end shows `error`, or without one: is in Connect or shows any socket error."""
    if error:
        return error in session.last_error
    return session.bgp_state == "Connect" or session.last_error.startswith("Socket:")


def not_up(case: Case, pairs: Iterable[Pair]) -> str:
    """Words if a session is not established at both ends."""
    for pair in case.undisturbed(pairs):
        for node, peer in pair.ends:
            session = end(case.lab, node, peer)
            if session is None or not session.settled:
                return f"{node.name} has no session with {peer.name} ({_words(session)})"
    return ""


def end(lab: Lab, node: Node, peer: Node) -> birdc.Session | None:
    """One end of a session, None if BIRD there does not answer or has no such protocol."""
    return _sessions(lab, node).get(mesh_name(peer.address))


def _not_answering(lab: Lab) -> str:
    for node in lab.nodes:
        if lab.machine(node.name).running:
            try:
                birdc.ask(lab.machine(node.name), "show status", timeout=1.0)
            except (birdc.BirdError, LabError) as error:
                return f"{node.name}: {error}"
    return ""


def _sessions(lab: Lab, node: Node) -> dict[str, birdc.Session]:
    try:
        return birdc.sessions(lab.machine(node.name))
    except (birdc.BirdError, LabError):
        return {}


def _restart(lab: Lab, node: Node, protocol: str) -> None:
    try:
        birdc.restart(lab.machine(node.name), protocol)
    except (birdc.BirdError, LabError):
        return


def _words(session: birdc.Session | None) -> str:
    return f"{session.bgp_state or session.state} {session.last_error}".strip() if session else "BIRD gives no answer"
