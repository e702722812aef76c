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

from . import cni_folders
from .processes import names_in, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .._unread import Unread

FOLDERS = (
    "/etc/cni/net.d",
    "/var/lib/rancher/k3s/agent/etc/cni/net.d",
    "/var/lib/rancher/rke2/agent/etc/cni/net.d",
    "/var/snap/microk8s/current/args/cni-network",
)
ENDINGS = (".conf", ".conflist", ".json")
KUBECONFIG = "calico-kubeconfig"
_LIMIT = 1 << 18
_MOST_FILES = 8
_TOKEN_PARTS = 3
_LONGEST_LINE = 100
_IPAM = "calico-ipam"
_POD_CIDR = "usepodcidr"  # and usePodCidrIPv6


def look(root: str = "", now: float | None = None) -> dict[str, Any]:
    """Return calico_node.host.cni: folder (if it is not the usual one), files, plugin, ipam, token times; {} without
    any.

    Beside that, as "unread", the path of a file that names no plugin and what of it was not understood.
    """
    told = cni_folders.of_runtime(root)
    present = dict(_folders(root, told))
    if not present:
        return {}
    folder = told if told in present else next(iter(present))
    files = present.pop(folder)
    kubeconfig = f"{root}{folder}/{KUBECONFIG}"
    facts: dict[str, Any] = {"files": files[:_MOST_FILES]}
    if folder != FOLDERS[0]:
        facts["folder"] = folder
    if told not in ("", folder):
        facts["runtime_folder"] = told
    if present:
        facts["other_folders"] = {other: names[:_MOST_FILES] for other, names in present.items()}
    if len(files) > _MOST_FILES:
        facts["files_left_out"] = len(files) - _MOST_FILES
    # Kubelet and the runtimes take the first by name.
    text = read_text(f"{root}{folder}/{files[0]}", _LIMIT) if files else ""
    plugin = plugin_of(text)
    facts["plugin"] = plugin or "unknown"
    facts.update(ipam_of(text))
    if files and not plugin:
        facts["unread"] = (f"{folder}/{files[0]}", unread_of(text))
    facts.update(token_times(read_text(kubeconfig, _LIMIT), time.time() if now is None else now))
    return facts


def _folders(root: str, told: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the folders with a CNI configuration or Calico's kubeconfig in them, with the configurations' names."""
    for folder in dict.fromkeys((*FOLDERS, told)):
        if not folder.startswith("/") or "/.." in folder:
            continue
        files = sorted(name for name in names_in(root + folder) if name.endswith(ENDINGS) and name[0] != ".")
        if files or os.path.exists(f"{root}{folder}/{KUBECONFIG}"):
            yield folder, files


def _first_plugin(text: str) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    plugins = config.get("plugins") if isinstance(config, dict) else None
    first = plugins[0] if isinstance(plugins, list) and plugins else config
    return first if isinstance(first, dict) else {}


def ipam_of(text: str) -> dict[str, Any]:
    """Return ipam, the type of who hands out addresses if that is not Calico's, and use_pod_cidr if it does so from the
    Node's podCIDR: where the Node has none, no pod gets an address."""
    ipam = _first_plugin(text).get("ipam")
    if not isinstance(ipam, dict) or ipam.get("type") == _IPAM or not isinstance(ipam.get("type"), str):
        return {}
    found: dict[str, Any] = {"ipam": ipam["type"][:64]}
    ranges = ipam.get("ranges")
    ranges = ranges if isinstance(ranges, list) else []
    sets = [entry for part in ranges[:_MOST_FILES] if isinstance(part, list) for entry in part[:_MOST_FILES]]
    subnets = [entry.get("subnet") for entry in (ipam, *sets) if isinstance(entry, dict)]
    if any(isinstance(subnet, str) and subnet.casefold().startswith(_POD_CIDR) for subnet in subnets):
        found["use_pod_cidr"] = True
    return found


def plugin_of(text: str) -> str:
    """Return the type of the (first) plugin of a CNI configuration; '' if it names none."""
    name = _first_plugin(text).get("type")
    return name[:64] if isinstance(name, str) else ""


def unread_of(text: str) -> Unread:
    """Return where a CNI configuration stops being one, as (line number, the line)."""
    try:
        json.loads(text)
    except ValueError as error:
        number = getattr(error, "lineno", 1)
        return [(number, (text.split("\n")[number - 1 : number] or [""])[0].strip()[:_LONGEST_LINE])]
    except RecursionError:
        return [(1, "nested too deeply")]
    return [(1, "no plugin is named")]


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
