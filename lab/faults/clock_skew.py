# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's clock is wrong. All machines share the host's, so libfaketime shifts it for the node's programs.

It is loaded into all that starts on the node from then on: what a session runs, TLS, chronyd, which is started anew and
sees a true offset to its server. What runs already keeps the right time, BIRD, sshd and runit among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import LabError
from . import api_access
from .model import Case, Fault, Variant, listener

if TYPE_CHECKING:
    from ..machine import Machine

_AHEAD, _BEHIND = "ahead", "behind"
_SECONDS = {_AHEAD: 7200, _BEHIND: -2400}
_PRELOAD, _SETTING = "/etc/ld.so.preload", "/etc/faketimerc"
_LIBRARIES = "/usr/lib"
_LIBRARY = "faketime/libfaketime.so.1"
# It makes files there and removes them when a program ends, for which sshd's sandbox kills sshd. Without it does, too.
_SHARED = "/dev/shm"  # noqa: S108 - a mount point
# How far chronyd's answer may be off what was set.
_NEAR = 5.0


def _shift(case: Case) -> None:
    # Runit's sv compares times: it has to end before the clock is another one.
    case.run(["sv", "down", "chronyd"])
    case.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", _SHARED])
    seconds = _SECONDS[case.variant]
    case.machine.file(_SETTING).write_text(f"{seconds:+d}\n", encoding="ascii")
    case.machine.file(_PRELOAD).write_text(_library(case.machine) + "\n", encoding="ascii")
    case.lab.say(f"  {case.target}: {_SETTING}: {seconds:+d} s for all that starts from now on")
    case.run(["sv", "up", "chronyd"])
    if case.variant == _BEHIND:
        api_access.give_certificate(case, days_ago=0.01, days_left=365)


def _library(machine: Machine) -> str:
    root = machine.file("/")
    found = sorted(machine.file(_LIBRARIES).glob(f"*/{_LIBRARY}"))
    if not found:
        raise LabError(f"{machine.name} has no {_LIBRARY}")
    return "/" + str(found[0].relative_to(root))


def _put_right(case: Case) -> None:
    case.try_run(["rm", "-f", _PRELOAD, _SETTING])
    if case.variant == _BEHIND:
        api_access.remove_certificate(case)
    case.try_run(["umount", _SHARED])
    case.try_run(["sv", "restart", "chronyd"])


def _missing(case: Case) -> str:
    done = case.machine.exec(["chronyc", "-n", "-c", "tracking"], check=False)
    fields = done.stdout.strip().split(",")
    # The system's time: seconds it is ahead of the server's, the fifth of them
    try:
        off = float(fields[4]) if fields[-1] != "Not synchronised" else 0.0
    except (IndexError, ValueError):
        off = 0.0
    return "" if abs(abs(off) - abs(_SECONDS[case.variant])) < _NEAR else f"chrony on {case.target} sees no such offset"


SKEW = Fault(
    id="clock_skew",
    description="the node's clock is wrong (libfaketime, in all that starts on the node meanwhile)",
    inject=_shift,
    heal=_put_right,
    missing=_missing,
    default=listener,
    variants=(
        Variant(_AHEAD, "by two hours; chronyd sees it and may not set it"),
        Variant(_BEHIND, "by 40 minutes; the kubelet's certificate, a quarter of an hour old, is not yet valid"),
    ),
    breaks_sessions=False,
)
