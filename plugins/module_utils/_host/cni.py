# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CNI configuration files of this node and the age of the token that Calico's CNI plugin shows to the API server.

calico-node writes a token for 24 hours into calico-kubeconfig and a new one after a quarter of what is left of its
time (node/pkg/cni/token_watch.go: defaultCNITokenValiditySeconds, defaultRefreshFraction): one with less than some
hours left was not renewed. Of the token only its times are read; it never leaves this file.
"""

from __future__ import annotations

import json
import os
import time

from .processes import names_in, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLDERS = (
    "/etc/cni/net.d",
    "/var/lib/rancher/k3s/agent/etc/cni/net.d",
    "/var/lib/rancher/rke2/agent/etc/cni/net.d",
    "/var/snap/microk8s/current/args/cni-network",
)
_ENDINGS = (".conf", ".conflist", ".json")
_KUBECONFIG = "calico-kubeconfig"
_LIMIT = 1 << 18
_MOST_FILES = 8
_TOKEN_PARTS = 3


def look(root: str = "", now: float | None = None) -> dict[str, Any]:
    """Return calico_node.host.cni: folder (if it is not the usual one), files, plugin, token times; {} without any."""
    for folder in FOLDERS:
        files = sorted(name for name in names_in(root + folder) if name.endswith(_ENDINGS) and name[0] != ".")
        kubeconfig = f"{root}{folder}/{_KUBECONFIG}"
        if not files and not os.path.exists(kubeconfig):
            continue
        facts: dict[str, Any] = {"files": files[:_MOST_FILES]}
        if folder != FOLDERS[0]:
            facts["folder"] = folder
        if len(files) > _MOST_FILES:
            facts["files_left_out"] = len(files) - _MOST_FILES
        # Kubelet and the runtimes take the first by name.
        plugin = plugin_of(read_text(f"{root}{folder}/{files[0]}", _LIMIT)) if files else ""
        facts["plugin"] = plugin or "unknown"
        facts.update(token_times(read_text(kubeconfig, _LIMIT), time.time() if now is None else now))
        return facts
    return {}


def plugin_of(text: str) -> str:
    """Return the type of the (first) plugin of a CNI configuration; '' if it names none."""
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    plugins = config.get("plugins") if isinstance(config, dict) else None
    first = plugins[0] if isinstance(plugins, list) and plugins else config
    name = first.get("type") if isinstance(first, dict) else None
    return name[:64] if isinstance(name, str) else ""


def token_times(kubeconfig: str, now: float) -> dict[str, int]:
    """Return token_age_seconds and token_expires_in_seconds (negative: expired) of the token in a kubeconfig; what the
    token does not tell, or is no such token, is left out."""
    for raw in kubeconfig.splitlines():
        key, colon, value = raw.strip().partition(":")
        if colon and key.lstrip("- ") == "token":
            claims = _claims(value.strip().strip("\"'"))
            found = {}
            if "iat" in claims:
                found["token_age_seconds"] = int(now - claims["iat"])
            if "exp" in claims:
                found["token_expires_in_seconds"] = int(claims["exp"] - now)
            return found
    return {}


def _claims(token: str) -> dict[str, float]:
    """Return the two times of a JSON web token, nothing else of it."""
    import binascii

    parts = token.split(".")
    if len(parts) != _TOKEN_PARTS:
        return {}
    body = parts[1].replace("-", "+").replace("_", "/")
    try:
        claims = json.loads(binascii.a2b_base64(body + "=" * (-len(body) % 4)).decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    times = {name: claims.get(name) for name in ("iat", "exp")} if isinstance(claims, dict) else {}
    return {name: float(value) for name, value in times.items() if value is not None and _is_time(value)}


def _is_time(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1 << 40
