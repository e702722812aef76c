# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BIRD's control socket where tools on the host do not find it, while BIRD is well."""

from __future__ import annotations

from .model import Case, Fault, Variant, listener

_FOLDER = "/run/calico"


def _hide(case: Case) -> None:
    """Put another folder over the socket's, in the host's view only: BIRD has a view of its own, as in a container."""
    case.run(["mount", "-t", "tmpfs", "hidden", _FOLDER])


def _show(case: Case) -> None:
    case.try_run(["umount", _FOLDER])


def _still_found(case: Case) -> str:
    done = case.machine.exec(["birdc", "-s", f"{_FOLDER}/bird.ctl", "show", "status"], check=False)
    return f"a client on {case.target} still finds the socket" if done.returncode == 0 else ""


ARTIFACT = Fault(
    id="benign_tool_artifact",
    description="birdc and calicoctl on the host do not find BIRD's control socket, which BIRD has in its own view",
    inject=_hide,
    heal=_show,
    missing=_still_found,
    default=listener,
    variants=(Variant("hidden", "the host's /run/calico is not that of BIRD"),),
    breaks_sessions=False,
)
