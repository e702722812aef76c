# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates that this node can read and that are expired, not yet valid, or about to expire."""

from __future__ import annotations

import os
import time

from .processes import names_in, read_text, resolve_inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from .processes import Process

SOON = 14 * 86400
_LIMIT = 1 << 18
_MOST_FILES = 100
_MOST_TOLD = 12
ENDINGS = (".crt", ".pem", ".cert")
FILES = (
    "/var/lib/kubelet/pki/kubelet-client-current.pem",
    "/var/lib/kubelet/pki/kubelet-server-current.pem",
    "/var/lib/k0s/kubelet/pki/kubelet-client-current.pem",
    "/var/lib/k0s/kubelet/pki/kubelet-server-current.pem",
)
FOLDERS = (
    "/etc/kubernetes/pki",
    "/etc/kubernetes/pki/etcd",
    "/etc/kubernetes/ssl",
    "/etc/calico/certs",
    "/etc/calico/ssl",
    "/calico-secrets",
    "/var/lib/rancher/k3s/agent",
    "/var/lib/rancher/k3s/server/tls",
    "/var/lib/rancher/k3s/server/tls/etcd",
    "/var/lib/rancher/rke2/agent",
    "/var/lib/rancher/rke2/server/tls",
    "/var/lib/rancher/rke2/server/tls/etcd",
    "/var/lib/rancher/rke2/server/tls/kube-controller-manager",
    "/var/lib/rancher/rke2/server/tls/kube-scheduler",
    "/var/snap/microk8s/current/certs",
    "/var/lib/k0s/pki",
    "/var/lib/k0s/pki/etcd",
    "/srv/kubernetes",
    "/srv/kubernetes/kube-apiserver",
    "/etc/ssl/etcd/ssl",
)
# Kubeconfigs of kubeadm and the like hold their certificate in themselves.
KUBECONFIGS = (
    "/etc/kubernetes/admin.conf",
    "/etc/kubernetes/kubelet.conf",
    "/etc/kubernetes/controller-manager.conf",
    "/etc/kubernetes/scheduler.conf",
    "/etc/kubernetes/super-admin.conf",
    "/var/lib/k0s/kubelet.conf",
    "/var/snap/microk8s/current/credentials/client.config",
    "/var/snap/microk8s/current/credentials/kubelet.config",
)
_EMBEDDED = "client-certificate-data:"
# Where Felix, confd and Typha are told the paths of theirs (felix/config/config_params.go, typha/pkg/config).
VARIABLES = (
    "FELIX_TYPHACERTFILE",
    "FELIX_TYPHACAFILE",
    "TYPHA_SERVERCERTFILE",
    "TYPHA_CAFILE",
    "ETCD_CERT_FILE",
    "ETCD_CA_CERT_FILE",
)


def look(processes: Iterable[Process], root: str = "", now: float | None = None) -> tuple[int, list[dict[str, Any]]]:
    """Return how many certificates were read, and calico_node.host.certificates: those that need attention.

    `processes` are Felix, confd and Typha, whose own certificates are read where they were told to find them.
    """
    now = time.time() if now is None else now
    read = 0
    found: list[dict[str, Any]] = []
    seen: set[tuple[int, int]] = set()
    for shown, actual in _places(processes, root):
        identity = _identity(actual)
        if identity is None or identity in seen or len(seen) >= _MOST_FILES:
            continue
        seen.add(identity)
        text = read_text(actual, _LIMIT)
        if _EMBEDDED in text:
            text = _embedded(text)
        if "CERTIFICATE" not in text:
            continue
        from . import x509

        dates, broken = x509.parse_pem(text)
        read += len(dates)
        if broken and not dates:
            found.append({"path": shown, "state": "unreadable"})
        worst = min(filter(None, (_judged(shown, pair, now) for pair in dates)), key=_urgency, default=None)
        if worst:
            found.append(worst)
    found.sort(key=_urgency)
    return read, found[:_MOST_TOLD]


def _judged(path: str, dates: tuple[float, float], now: float) -> dict[str, Any] | None:
    """Return the entry of a certificate that needs attention, None for any other."""
    begins, ends = dates
    if ends < now:
        state = "expired"
    elif begins > now:
        state = "not_yet_valid"
    elif ends < now + SOON:
        state = "expires_soon"
    else:
        return None
    return {"path": path, "state": state, "not_before": _rfc3339(begins), "not_after": _rfc3339(ends)}


def _urgency(entry: dict[str, Any]) -> tuple[int, str]:
    states = ("expired", "not_yet_valid", "expires_soon", "unreadable")
    return states.index(entry["state"]), entry.get("not_after", "")


def _places(processes: Iterable[Process], root: str) -> Iterator[tuple[str, str]]:
    """Yield each path as it is known to its owner, and as it is opened from here."""
    for path in FILES + KUBECONFIGS:
        yield path, resolve_inside(root, path)
    for folder in FOLDERS:
        for name in sorted(names_in(root + folder)):
            if name.endswith(ENDINGS):
                yield f"{folder}/{name}", resolve_inside(root, f"{folder}/{name}")
    for process in processes:
        for path in process.environ(VARIABLES).values():
            if path.startswith("/"):
                yield path, process.inside(path)


def _embedded(text: str) -> str:
    """Return the client certificate of a kubeconfig as PEM; the key beside it is not touched."""
    import binascii

    for raw in text.splitlines():
        key, colon, value = raw.strip().lstrip("- ").partition(":")
        if colon and key + colon == _EMBEDDED:
            try:
                return binascii.a2b_base64(value.strip()).decode("ascii", "replace")
            except ValueError:
                return ""
    return ""


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _rfc3339(moment: float) -> str:
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
    except (OverflowError, OSError, ValueError):
        return ""
