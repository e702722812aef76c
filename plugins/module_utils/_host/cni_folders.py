# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which folder the container runtime takes its CNI configuration from, by its own configuration.

K3s has a folder of its own as long as it brings its own network, and leaves it to containerd's default otherwise (k3s:
pkg/agent/config/config.go): which of two folders with files counts stands nowhere but there.
"""

from __future__ import annotations

from .processes import read_text

DEFAULT = "/etc/cni/net.d"
MICROK8S = "/var/snap/microk8s/current/args/cni-network"
# Of distributions before the host's own, which may be left over from before.
CONFIGURATIONS = (
    "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
    "/var/lib/rancher/rke2/agent/etc/containerd/config.toml",
    "/var/snap/microk8s/current/args/containerd.toml",
    "/etc/containerd/config.toml",
    "/etc/crio/crio.conf",
)
SETTINGS = ("conf_dir", "network_dir")
_LONGEST = 256
_OF_SNAP = "${SNAP_DATA}/args/cni-network"
_LIMIT = 1 << 18


def of_runtime(root: str = "") -> str:
    """Return the folder that the runtime reads, containerd's and CRI-O's usual one if their configuration names none;
    '' if there is no configuration."""
    for path in CONFIGURATIONS:
        text = read_text(root + path, _LIMIT)
        if text:
            return parse(text)
    return ""


def parse(text: str) -> str:
    """Return the folder that a configuration of containerd or CRI-O names, else the usual one."""
    for line in text.split("\n"):
        name, equals, value = line.partition("=")
        if equals and name.strip() in SETTINGS:
            quote = value.strip()[:1]
            folder = value.strip()[1:].partition(quote)[0].rstrip("/") if quote in ('"', "'") else ""
            if folder and len(folder) <= _LONGEST:
                return MICROK8S if folder == _OF_SNAP else folder
    return DEFAULT
