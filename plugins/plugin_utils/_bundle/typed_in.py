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
_LOGGED = re.compile(r"(?:[a-z.]{1,40}/)?[a-z0-9][a-z0-9.=-]{0,252}$")
_UNIT = re.compile(r"(?:sudo )?journalctl\b.{0,200}?(?: -\w{0,3}u ?| --unit[= ])[\"']?([\w@.-]{1,64})")
# Those whose logs are read, of pods and of units; and what a distribution of Kubernetes puts into one log.
_READ = (
    *(
        "cali",
        "canal",
        "typha",
        "tigera",
        "flannel",
        "kubelet",
        "coredns",
        "kube-dns",
        "kube-",
        "bird",
        "confd",
        "felix",
    ),
    *(
        "k3s",
        "rke2",
        "k0s",
        "microk8s",
        "kubernetes",
        "containerd",
        "crio",
        "cri-o",
        "cri-docker",
        "operator",
        "kernel",
    ),
)


def pod(command: str) -> str:
    """Return the pod in which a command ran; '' if it ran where it was typed, SOMEWHERE if in a place that has no name
    here."""
    if _ELSEWHERE.match(command):
        return SOMEWHERE
    words = _after(command, "exec")
    if not words:
        return ""
    match = _POD.match(words[0])
    return match.group("name") if match is not None else SOMEWHERE


def logs_another(command: str) -> bool:
    """Say whether a command shows the log of a pod or unit that is surely none of Calico's or Kubernetes' own: the same
    words mean something else there."""
    unit = _UNIT.match(command)
    words = _after(command, "logs") or _after(command, "log")
    name = unit.group(1) if unit is not None else words[0] if words and _LOGGED.match(words[0]) else ""
    return bool(name) and not any(one in name for one in _READ)


def opens_shell(command: str) -> bool:
    """Say whether what is typed after this command is typed in a shell of the pod's."""
    words = _after(command, "exec")
    return len(words) > 1 and _SHELL.match(words[-1]) is not None


def debugged_node(command: str) -> str:
    """Return the node in whose network `kubectl debug node/…` runs, '' if it is another command."""
    match = re.search(r"\bdebug\b.{0,200}?\bnodes?/(\S{1,253})", command) if _KUBECTL.match(command) else None
    return match.group(1) if match is not None else ""


def _after(command: str, verb: str) -> list[str]:
    """Return the pod and what follows it in `kubectl exec`, or with another verb; [] if it is another command."""
    words = command[:4000].split()
    if not _KUBECTL.match(command) or verb not in words:
        return []
    found: list[str] = []
    takes = False
    for word in words[words.index(verb) + 1 :]:
        if takes or (word.startswith("-") and len(found) < 2):
            takes = not takes and word in _TAKING
        else:
            found.append(word)
    return found
