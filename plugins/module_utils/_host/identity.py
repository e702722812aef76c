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
    from .processes import Process

NODENAME_FILES = ("/var/lib/calico/nodename", "/var/snap/microk8s/current/var/lib/calico/nodename")
# Certificates by which kubelet is known to the API server, as system:node:<name of the Node>.
KUBELET_CERTIFICATES = (
    "/var/lib/kubelet/pki/kubelet-client-current.pem",
    "/var/lib/rancher/k3s/agent/client-kubelet.crt",
    "/var/lib/rancher/rke2/agent/client-kubelet.crt",
    "/var/snap/microk8s/current/certs/kubelet.crt",
    "/var/lib/k0s/kubelet/pki/kubelet-client-current.pem",
)
_NODE = "system:node:"
_LONGEST_HARDWARE = 80
_STARTS_WITHIN = 30.0  # runsvdir starts its services at once; calico-node's startup comes before
NAMES = _NODENAME, _NODE_REF, _HOSTNAME = "NODENAME", "CALICO_K8S_NODE_REF", "HOSTNAME"
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
        "hardware": hardware(root),
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
    age = _age_of_all(installation)
    if age is not None:
        found["calico_node_started_seconds_ago"] = int(age)
    found.update(service_ages(installation))
    version = _version(installation, root)
    if version:
        found["version"] = version
    return found


def hardware(root: str) -> str:
    """Return vendor and product as the firmware has them: of a virtual machine, its cloud or hypervisor."""
    folder = root + "/sys/class/dmi/id/"
    words = [read_text(folder + name, 128).strip() for name in ("sys_vendor", "product_name")]
    return " ".join(word for word in words if word)[:_LONGEST_HARDWARE]


def names(installation: Installation, root: str = "") -> dict[str, str]:
    """Return the names that this node's programs have for it, as keys of calico_node: nodename and nodename_source if
    calico-node was told the name (then nodename_file, if the file has another), node_ref if it was told another name
    for the Node of Kubernetes, kubelet_nodename as kubelet's certificate has it."""
    found: dict[str, str] = {}
    environment = _told(installation.processes)
    stored = _stored(root)
    name = environment.get(_NODENAME, "").strip()
    if name:
        found.update(nodename=name, nodename_source="environment")
        if stored not in ("", name):
            found["nodename_file"] = stored
    elif not stored and environment.get(_HOSTNAME, "").strip():
        found.update(nodename=environment[_HOSTNAME].strip().lower(), nodename_source="environment")
    reference = environment.get(_NODE_REF, "")
    if reference and reference != found.get("nodename", stored):
        found["node_ref"] = reference
    kubelet = _kubelets_name(root)
    if kubelet:
        found["kubelet_nodename"] = kubelet
    return found


def service_ages(installation: Installation) -> dict[str, int]:
    """Return how old Felix and confd are themselves where calico-node is older: they were started again since."""
    oldest = _age_of_all(installation)
    found = {}
    for name in ("felix", "confd"):
        process = installation.component(name)
        age = process.started_seconds_ago if process is not None else None
        if age is not None and oldest is not None and oldest - age > _STARTS_WITHIN:
            found[name + "_started_seconds_ago"] = int(age)
    return found


def _age_of_all(installation: Installation) -> float | None:
    """Return the age of the supervisor of calico-node's services, which is as old as the container; services may have
    been restarted. Where it is not seen, that of the elder of Felix and confd."""
    elders = [process for process in installation.processes if process.comm == "runsvdir"]
    if not elders:
        parts = [installation.component(name) for name in ("felix", "confd")]
        elders = [process for process in parts if process is not None]
    ages = [process.started_seconds_ago for process in elders]
    return max((age for age in ages if age is not None), default=None)


def _told(processes: list[Process]) -> dict[str, str]:
    """Return the names in the environment of calico-node's first process that may be read; its services share it."""
    for process in processes:
        found = process.environ((*NAMES, "PATH"))
        if found:
            return found
    return {}


def _kubelets_name(root: str) -> str:
    text = next(filter(None, (read_text(root + path, 1 << 16) for path in KUBELET_CERTIFICATES)), "")
    if not text:
        return ""
    from . import x509_names

    read = (x509_names.parse_names(der) for der in x509_names.blocks(text))
    subject = next((one.subject for one in read if one is not None), "")
    return subject[len(_NODE) :] if subject.startswith(_NODE) else ""


def _stored(root: str) -> str:
    """Return the name in the file that calico-node leaves on the host; '' if there is none."""
    for path in NODENAME_FILES:
        words = read_text(root + path, 1024).split()
        if words:
            return words[0]
    return ""


def _nodename(root: str, hostname: str) -> tuple[str, str]:
    """Return the name Calico knows the node by, and where it stands."""
    stored = _stored(root)
    if stored:
        return stored, "file"
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
