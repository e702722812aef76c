# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration on disk that BIRD refuses, while it goes on with the one it has: what a hand edit leaves behind.

confd itself would not install such a file (see `confd`); the file is changed past it, as an image or a script does.
"""

from __future__ import annotations

import re
import time

from .. import confd
from ..bird_config import CONFIG_DIRECTORY, MAIN, mesh_name
from ..peerings import IPV4
from ..services import CONTAINER_ROOT
from . import pairs
from .model import Case, Fault, Variant, listener

_TWICE, _BRACE = "twice", "brace"
# BIRD tells its last reconfiguration in whole seconds; the file must be newer beyond doubt.
_APART = 2.0


def _spoil(case: Case) -> None:
    time.sleep(_APART)
    file = case.machine.file(f"{CONTAINER_ROOT}{CONFIG_DIRECTORY}/{MAIN[IPV4]}.cfg")
    text = file.read_text(encoding="utf-8")
    name = mesh_name(case.peers[-1].address)
    protocol = re.search(rf"^protocol bgp {name} .*?^\}}\n", text, re.DOTALL | re.MULTILINE)
    again = protocol.group() if protocol and case.variant == _TWICE else "}\n"
    file.write_text(text + again, encoding="utf-8")
    confd.hang_up(case.machine)


def _follow(case: Case) -> None:
    case.lab.render_all()


def _missing(case: Case) -> str:
    return pairs.not_up(case, pairs.between(case.node, case.peers))


REJECTED = Fault(
    id="bird_config_rejected",
    description="BIRD refuses the node's configuration on disk and goes on with the one it has",
    inject=_spoil,
    heal=_follow,
    missing=_missing,
    default=listener,
    variants=(
        Variant(_TWICE, "a protocol (that of the last node) is defined twice"),
        Variant(_BRACE, "a closing brace is too many"),
    ),
    breaks_sessions=False,
)
