# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where something was typed: in which pod a command ran, by the words of kubectl that lead there."""

from __future__ import annotations

import re

# A container whose pod nobody names, or another network namespace of the host.
SOMEWHERE = "?"
_KUBECTL = re.compile(r"(?:sudo )?(?:kubectl|oc|k|microk8s(?:\.kubectl| kubectl)|k3s kubectl)\b")
_ELSEWHERE = re.compile(
    r"(?:sudo )?(?:(?:docker|podman|crictl|nerdctl|ctr)\b.{0,200}? exec\b|nsenter\b.{0,200}?(?: -\w*n\b| --net)"
    r"|ip netns exec\b|chroot\b)"
)
_TAKING = frozenset(
    ("-n", "--namespace", "-c", "--container", "--context", "--kubeconfig", "--cluster", "--user", "-s", "--server")
)
_SHELL = re.compile(r"(?:/(?:usr/)?bin/)?(?:ba|a|da|z|k)?sh$")
_POD = re.compile(r"(?:pods?/)?(?P<name>[a-z0-9][a-z0-9.-]{0,252})$")


def pod(command: str) -> str:
    """Return the pod in which a command ran; '' if it ran where it was typed, SOMEWHERE if in a place that has no name
    here."""
    if _ELSEWHERE.match(command):
        return SOMEWHERE
    words = _after_exec(command)
    if not words:
        return ""
    match = _POD.match(words[0])
    return match.group("name") if match is not None else SOMEWHERE


def opens_shell(command: str) -> bool:
    """Say whether what is typed after this command is typed in a shell of the pod's."""
    words = _after_exec(command)
    return len(words) > 1 and _SHELL.match(words[-1]) is not None


def debugged_node(command: str) -> str:
    """Return the node in whose network `kubectl debug node/…` runs, '' if it is another command."""
    match = re.search(r"\bdebug\b.{0,200}?\bnodes?/(\S{1,253})", command) if _KUBECTL.match(command) else None
    return match.group(1) if match is not None else ""


def _after_exec(command: str) -> list[str]:
    """Return the pod and the command in it of `kubectl exec`, [] if it is another command."""
    words = command[:4000].split()
    if not _KUBECTL.match(command) or "exec" not in words:
        return []
    found: list[str] = []
    takes = False
    for word in words[words.index("exec") + 1 :]:
        if takes or (word.startswith("-") and len(found) < 2):
            takes = not takes and word in _TAKING
        else:
            found.append(word)
    return found
