# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What distributions' own files tell kubelet, where its command line does not: k3s (which hides its own), MicroK8s;
and the systemd units that kubelet may run in.

Imported only where kubelet is a part of another program, or its unit is asked for.
"""

from __future__ import annotations

import re

from .kubelet import parse_flags
from .processes import names_in, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .processes import Process

K3S = "/etc/rancher/k3s"
MICROK8S = "/var/snap/microk8s/current/args/kubelet"
UNITS = (
    "kubelet",
    "k3s",
    "k3s-agent",
    "rke2-server",
    "rke2-agent",
    "k0sworker",
    "k0scontroller",
    "snap.microk8s.daemon-kubelite",
    "snap.microk8s.daemon-kubelet",
)
UNIT_FOLDERS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
VARIABLES = {"K3S_NODE_NAME": "hostname_override"}
_KEYS = {"node-ip": "node_ip", "node-name": "hostname_override"}
_ARGUMENTS = "kubelet-arg"
FILE_FLAG = "--kubelet-args-file="
_LIMIT = 1 << 16
_KEY = r"[\"']?([\w-]+)\+?[\"']?\s*:(?:\s+(.*))?$"
# Units in whose group kubelet may run as a container: their journal is not its own.
_RUNTIMES = ("docker.service", "containerd.service", "crio.service")
_UNIT = r"/([\w@.:\\-]{1,200}\.service)(?:/|$)"


def told(process: Process, root: str = "") -> dict[str, str]:
    """Return node_ip and hostname_override as the files of the distribution have them whose program this is."""
    if process.comm == "kubelite":
        given = [word[len(FILE_FLAG) :] for word in process.argv if word.startswith(FILE_FLAG)]
        return parse_flags(read_text(root + (given or [MICROK8S])[-1], _LIMIT).split())
    found = {VARIABLES[name]: value for name, value in process.environ(VARIABLES).items()}
    extra = sorted(name for name in names_in(f"{root}{K3S}/config.yaml.d") if name.endswith((".yaml", ".yml")))
    for path in ["config.yaml", *(f"config.yaml.d/{name}" for name in extra)]:
        found.update(parse_config(read_text(f"{root}{K3S}/{path}", _LIMIT)))
    return found


def parse_config(text: str) -> dict[str, str]:
    """Return node_ip and hostname_override from a configuration of k3s: its keys are flags, its values words or
    lists of words. What is written in another way is left out."""
    found: dict[str, str] = {}
    words: list[str] = []
    for key, value in _entries(text):
        if key == _ARGUMENTS:
            words.append("--" + value.lstrip("-"))
        elif key in _KEYS:
            name = _KEYS[key]
            found[name] = f"{found[name]},{value}" if name in found and name == "node_ip" else value
    return dict(parse_flags(words), **found)


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """Yield each key with its value, with each of its values where it has a list of them."""
    key = ""
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("- "):
            if key:
                yield key, _word(line[2:])
            continue
        match = re.match(_KEY, raw)
        key = match.group(1) if match else ""
        value = ((match.group(2) if match else "") or "").strip()
        if value.startswith("["):
            for part in value.partition("]")[0][1:].split(","):
                yield key, _word(part)
        elif value and not value.startswith("#"):
            yield key, _word(value)


def _word(text: str) -> str:
    text = text.strip()
    if text[:1] in ("'", '"'):
        return text[1:].partition(text[0])[0]
    return text.partition(" #")[0].strip()


def units(process: Process | None, root: str = "") -> list[str]:
    """Return the systemd units in whose journal kubelet writes: that in which it (or its supervisor) runs, else those
    of which there is a file. None if it runs in a container."""
    if process is not None:
        found = re.findall(_UNIT, read_text(process.directory + "/cgroup", 4096), re.MULTILINE)
        return [unit for unit in found if unit not in _RUNTIMES][-1:]
    there = {name for folder in UNIT_FOLDERS for name in names_in(root + folder)}
    return [unit + ".service" for unit in UNITS if unit + ".service" in there]
