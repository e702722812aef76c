# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who this node is: its names, its system, and what of Calico runs on it."""

from __future__ import annotations

import os
import re
import sys

from .processes import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .._bird.discovery import Installation

NODENAME_FILES = ("/var/lib/calico/nodename", "/var/snap/microk8s/current/var/lib/calico/nodename")
# Where container runtimes keep the description of a running container; {} is its id.
_DESCRIPTIONS = (
    "/run/containerd/io.containerd.runtime.v2.task/k8s.io/{}/config.json",
    "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/{}/config.json",
    "/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task/k8s.io/{}/config.json",
    "/run/containers/storage/overlay-containers/{}/userdata/config.json",
    "/var/lib/docker/containers/{}/config.v2.json",
)
_IMAGE = r'"(?:io\.kubernetes\.cri\.image-name|io\.kubernetes\.cri-o\.ImageName|Image)"\s*:\s*"([^"]+)"'
_TAG = r":(v?\d+\.\d+[^@/]*)(?:@|$)"


def host(root: str = "", proc_root: str = "/proc") -> dict[str, Any]:
    """Return the host's names and system as the keys of calico_node; what cannot be read is left out."""
    system = os.uname()
    nodename, source = _nodename(root, system.nodename)
    uptime = read_text(os.path.join(proc_root, "uptime")).split()
    found = {
        "nodename": nodename,
        "nodename_source": source,
        "hostname": system.nodename,
        "boot_id": read_text(os.path.join(proc_root, "sys/kernel/random/boot_id")).strip(),
        "uptime_seconds": int(float(uptime[0])) if uptime else None,
        "kernel": system.release,
        "os": parse_os_release(read_text(root + "/etc/os-release") or read_text(root + "/usr/lib/os-release")),
        "python": ".".join(str(part) for part in sys.version_info[:3]),
        "privileged": os.geteuid() == 0,
    }
    return {key: value for key, value in found.items() if value not in ("", None)}


def parse_os_release(text: str) -> str:
    """Return 'debian 12' from os-release; '' if it names no system."""
    values = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals:
            values[name.strip()] = value.strip().strip("\"'")
    return f"{values.get('ID', '')} {values.get('VERSION_ID', '')}".strip()


def calico(installation: Installation, root: str = "") -> dict[str, Any]:
    """Return what runs of Calico as the keys of calico_node.calico."""
    felix, confd = installation.component("felix"), installation.component("confd")
    found: dict[str, Any] = {
        "backend": installation.backend,
        "felix_running": felix is not None,
        "confd_running": confd is not None,
    }
    if installation.backend_source:
        found["backend_source"] = installation.backend_source
    # The supervisor of calico-node's services is as old as the container; services may have been restarted.
    supervisors = [process for process in installation.processes if process.comm == "runsvdir"]
    elders = supervisors or [process for process in (felix, confd) if process is not None]
    ages = [age for age in (process.started_seconds_ago for process in elders) if age is not None]
    if ages:
        found["calico_node_started_seconds_ago"] = int(max(ages))
    version = _version(installation, root)
    if version:
        found["version"] = version
    return found


def _nodename(root: str, hostname: str) -> tuple[str, str]:
    """Return the name Calico knows the node by, and where it stands."""
    for path in NODENAME_FILES:
        words = read_text(root + path, 1024).split()
        if words:
            return words[0], "file"
    return hostname.lower(), "hostname"


def _version(installation: Installation, root: str) -> str:
    """Return the tag of the image calico-node runs from, by its container's description; '' if that is not readable."""
    for container in sorted({process.container for process in installation.processes} - {""}):
        for pattern in _DESCRIPTIONS:
            for image in re.findall(_IMAGE, read_text(root + pattern.format(container))):
                tag = re.search(_TAG, image)
                if tag:
                    return str(tag.group(1))
    return ""
