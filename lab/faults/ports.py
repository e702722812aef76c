# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BGP's port is changed while BIRD runs: it keeps the socket that it has, and its peers dial the new port."""

from __future__ import annotations

from . import objects, pairs
from .model import Case, Fault, Variant, listener

PORT = 1790


def _change(case: Case) -> None:
    objects.configure(case, "BGPConfiguration", f"node.{case.target}", {"listenPort": PORT})
    objects.follow(case.lab)


def _change_back(case: Case) -> None:
    objects.restore(case)
    # If it was restarted meanwhile, it has the new port and would keep that as well.
    if f":{PORT} " in case.machine.exec(["ss", "-Hltn"], check=False).stdout:
        case.try_run(["sv", "restart", "bird"])


def _not_refused(case: Case) -> str:
    return pairs.not_failing(case, pairs.listening(case.node, case.peers), "Socket: Connection refused")


CHANGED = Fault(
    id="port_listen_changed",
    description="listenPort has changed: peers dial the new port, BIRD on the node listens on the old one",
    inject=_change,
    heal=_change_back,
    missing=_not_refused,
    default=listener,
    check=objects.must_have_api,
    variants=(Variant("node", f"BGPConfiguration node.NAME says {PORT}"),),
)
