# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BGP's port is changed while BIRD runs: it keeps the socket that it has, and its peers dial the new port."""

from __future__ import annotations

from . import objects, pairs
from .model import Case, Fault, Variant, listener

PORT = 1790
_NODE, _ALL = "node", "default"


def _change(case: Case) -> None:
    name = f"node.{case.target}" if case.variant == _NODE else "default"
    objects.configure(case, "BGPConfiguration", name, {"listenPort": PORT})
    objects.follow(case.lab)


def _not_refused(case: Case) -> str:
    dialled = pairs.listening(case.node, case.peers)
    return pairs.not_failing(case, dialled, "Socket: Connection refused")


CHANGED = Fault(
    id="port_listen_changed",
    description="listenPort has changed: peers dial the new port, BIRD on the node listens on the old one",
    inject=_change,
    heal=objects.restore,
    missing=_not_refused,
    default=listener,
    check=objects.must_have_api,
    variants=(
        Variant(_NODE, f"BGPConfiguration node.NAME says {PORT}"),
        Variant(_ALL, f"BGPConfiguration default says {PORT}"),
    ),
)
