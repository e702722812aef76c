# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another BGP speaker holds TCP 179 on the node, as MetalLB's does when it starts before BIRD."""

from __future__ import annotations

from .. import birdc
from . import pairs
from .model import Case, Fault, Variant, listener

_PROGRAM = "/usr/local/sbin/speaker"
# As a script with its own first line the process is called "speaker", not "python3". It takes calls and hangs up,
# as a speaker does with a peer that it does not know.
_SPEAKER = """\
#!/usr/bin/python3 -ISE
import socket
with socket.create_server(("0.0.0.0", 179)) as server:
    while True:
        server.accept()[0].close()
"""


def _occupy(case: Case) -> None:
    case.run(["sv", "down", "bird"])
    program = case.machine.file(_PROGRAM)
    program.write_text(_SPEAKER, encoding="utf-8")
    program.chmod(0o755)
    case.undo["pid"] = case.run(["sh", "-c", f"setsid {_PROGRAM} </dev/null >/dev/null 2>&1 & echo $!"]).strip()
    case.run(["sh", "-c", "for i in $(seq 50); do nc -z 127.0.0.1 179 && exit; sleep 0.1; done; exit 1"])
    case.run(["sv", "up", "bird"])


def _release(case: Case) -> None:
    case.try_run(["sv", "down", "bird"])
    if case.undo.get("pid"):
        case.try_run(["kill", case.undo["pid"]])
    case.try_run(["rm", "-f", _PROGRAM])
    case.try_run(["sv", "up", "bird"])


def _missing(case: Case) -> str:
    try:
        found = birdc.sessions(case.machine).values()
    except birdc.BirdError as error:
        return f"{case.target}: {error}"
    bound = [session.name for session in found if session.last_error != "No listening socket"]
    if bound:
        return f"{bound[0]} on {case.target} does not show the missing listening socket yet"
    everyone = pairs.between(case.node, case.peers)
    dialled = [pair for pair in everyone if pair.listener == case.node]
    return pairs.not_failing(case, dialled, "Socket:") or pairs.not_down(case, everyone)


CONFLICT = Fault(
    id="port179_conflict",
    description="another process listens on TCP 179 of the node before BIRD starts",
    inject=_occupy,
    heal=_release,
    missing=_missing,
    default=listener,
    variants=(Variant("speaker", "a process named `speaker` on 0.0.0.0:179"),),
)
