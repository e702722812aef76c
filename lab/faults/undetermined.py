# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A block that cannot be placed: the node cannot be asked, and for its peers it could be several things."""

from __future__ import annotations

from . import pairs, ssh
from .model import Case, Fault, Variant, listener

_RULE = "INPUT -p tcp --dport 179 -j DROP"


def _hide(case: Case) -> None:
    ssh.stop(case)
    case.run(["iptables-nft", "-A", *_RULE.split()])
    pairs.reset(case.lab, pairs.listening(case.node, case.peers))


def _show(case: Case) -> None:
    case.try_run(["iptables-nft", "-D", *_RULE.split()])
    ssh.start(case)


def _missing(case: Case) -> str:
    return pairs.not_failing(case, pairs.listening(case.node, case.peers))


UNDETERMINED = Fault(
    id="undetermined",
    description="the node answers ping, takes no TCP 179 and cannot be logged in to: firewall, network or password?",
    inject=_hide,
    heal=_show,
    missing=_missing,
    default=listener,
    variants=(Variant("silent", "sshd stopped, TCP 179 silently dropped by the node's own firewall"),),
)
