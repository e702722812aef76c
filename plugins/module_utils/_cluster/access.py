# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to get at the API: what was asked for, what there is on this host, and which of the ways is taken."""

from __future__ import annotations

import os
import stat

from .._record import NamedTuple
from . import problems
from .problems import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
# Where a control plane's own kubeconfig lies: kubeadm (and kubespray), RKE2, k3s, MicroK8s.
OF_CONTROL_PLANE = (
    "/etc/kubernetes/admin.conf",
    "/etc/kubernetes/super-admin.conf",
    "/etc/rancher/rke2/rke2.yaml",
    "/etc/rancher/k3s/k3s.yaml",
    "/var/snap/microk8s/current/credentials/client.config",
)

_OPTION = "the option kubeconfig (in the role: collect_kubeconfig)"


class Access(NamedTuple):
    """How the API is to be reached. `where` says in words where that stands. `in_cluster`: by the pod's account.

    validate_certs None: as the kubeconfig says.
    """

    where: str
    kubeconfig: str = ""
    context: str = ""
    host: str = ""
    api_key: str = ""
    ca_cert: str = ""
    validate_certs: bool | None = None
    proxy: str = ""
    in_cluster: bool = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be in any sentence."""
        return tuple(one for one in (self.api_key, _user_of(self.proxy), _user_of(self.host)) if one)


def _user_of(host: str) -> str:
    user, at, _rest = host.partition("://")[2].rpartition("@")
    return user if at else ""


def choose(params: Mapping[str, Any], environ: Mapping[str, str], root: str = "") -> Access:
    """Return the way that the parameters ask for, else the first one that there is. Raises ApiError.

    The order is that of kubectl: what is given, KUBECONFIG, ~/.kube/config, the pod's account; then what control
    planes have. `root` stands before all paths, for tests.
    """
    common: dict[str, Any] = {name: params.get(name) or "" for name in ("context", "api_key", "ca_cert", "proxy")}
    common["validate_certs"] = params.get("validate_certs")
    if params.get("via") == "in-cluster":
        return _in_cluster(environ, root, common)
    if params.get("host"):
        return Access("the option host", host=_with_scheme(params["host"]), **common)
    if params.get("kubeconfig"):
        path = os.path.expanduser(params["kubeconfig"])
        return Access(f"the kubeconfig {path}", kubeconfig=_readable(path), **common)
    found = environ.get("KUBECONFIG", "")
    if found:
        return Access(f"KUBECONFIG, which is {found}", kubeconfig=_readable(found), **common)
    own = root + os.path.expanduser("~/.kube/config")
    if os.path.exists(own):
        return Access(f"the kubeconfig {own}", kubeconfig=_readable(own), **common)
    if is_in_cluster(environ, root):
        return _in_cluster(environ, root, common)
    return _of_control_plane(root, common)


def _with_scheme(host: str) -> str:
    return (host if "://" in host else f"https://{host}").rstrip("/")


def _of_control_plane(root: str, common: dict[str, Any]) -> Access:
    there = [path for path in OF_CONTROL_PLANE if os.path.exists(root + path)]
    for path in there:
        if os.access(root + path, os.R_OK):
            return Access(f"the control plane's kubeconfig {path}", kubeconfig=root + path, **common)
    if there:
        raise ApiError(
            problems.CONFIG,
            f"Only root may read {there[0]}, and there is no other kubeconfig. Use become, or {_OPTION}.",
        )
    raise ApiError(
        problems.CONFIG,
        "There is no way to the API: no option kubeconfig or host, no KUBECONFIG, no ~/.kube/config, no service "
        f"account of a pod, and no kubeconfig of a control plane on this host. Name one with {_OPTION}.",
    )


def _readable(path: str) -> str:
    """Return the path, or several with colons between, if at least one is a file to be read. Raises ApiError."""
    troubles = [_trouble(one) for one in path.split(os.pathsep) if one]
    if "" in troubles:
        return path
    trouble = troubles[-1] if troubles else "No kubeconfig is named"
    raise ApiError(
        problems.CONFIG, f"{trouble}. Name another one with the option kubeconfig (collect_kubeconfig of the role)."
    )


def _trouble(path: str) -> str:
    """Return why this kubeconfig cannot be used, '' if it can be read."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return f"The kubeconfig {path} is no file"
        if not os.path.getsize(path):
            return f"The kubeconfig {path} is empty"
    except OSError as error:
        return f"The kubeconfig {path} cannot be read: {error.strerror}"
    return "" if os.access(path, os.R_OK) else f"The kubeconfig {path} cannot be read by this user"


def is_in_cluster(environ: Mapping[str, str], root: str = "") -> bool:
    """Say whether this is a pod with a service account."""
    return bool(environ.get("KUBERNETES_SERVICE_HOST")) and os.path.exists(f"{root}{ACCOUNT}/token")


def _in_cluster(environ: Mapping[str, str], root: str, common: dict[str, Any]) -> Access:
    """Return the access of a pod's service account, as every client of Kubernetes makes it. Raises ApiError."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise ApiError(
            problems.CONFIG, "This is no pod: KUBERNETES_SERVICE_HOST is not set. Use a kubeconfig, or run it in a pod."
        )
    try:
        with open(f"{root}{ACCOUNT}/token", encoding="utf-8") as stream:
            token = stream.read(64 * 1024).strip()
    except (OSError, ValueError):
        token = ""
    if not token:
        raise ApiError(
            problems.CONFIG,
            f"The pod has no token of a service account in {ACCOUNT}. Set automountServiceAccountToken, and the "
            "serviceAccountName that is to be used.",
        )
    common = dict(common, api_key=common["api_key"] or token)
    if not common["ca_cert"] and os.path.exists(f"{root}{ACCOUNT}/ca.crt"):
        common["ca_cert"] = f"{root}{ACCOUNT}/ca.crt"
    address = f"[{host}]" if ":" in host else host
    return Access("the pod's service account", host=f"https://{address}:{port}", in_cluster=True, **common)
