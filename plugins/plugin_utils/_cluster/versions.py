# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases of Calico: of images, of processes on nodes, of the whole cluster."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from . import effective
from .components import CALICO_NODE, CANAL, Made, is_agent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._evidence.model import Node
    from .model import Cluster

_RELEASE = re.compile(r"(?:^|[^0-9.])v?([0-9]{1,3})\.([0-9]{1,3})(?:\.([0-9]{1,4}))?(?![0-9.])")


class Versions(NamedTuple):
    """The release on each node, and the cluster's: the most frequent one, '' if none is known. "v3.29.1"."""

    nodes: dict[str, str]
    usual: str
    mixed: bool


def release(written: str) -> tuple[int, int, int] | None:
    """Return (3, 29, 1) of "v3.29.1", "3.29", "v3.30.3-build20250909" or "release-v3.8-arm64"; None if it has none.

    Releases of Calico are 3.x and 2.x: other numbers are those of other things.
    """
    found = _RELEASE.search(written[:200])
    if found is None or found.group(1) not in ("2", "3"):
        return None
    return int(found.group(1)), int(found.group(2)), int(found.group(3) or 0)


def of_image(image: str) -> str:
    """Return the release that an image's tag names, '' if it names none (a digest, latest)."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    found = release(tag)
    return _shown(found, tag) if found else ""


def _shown(found: tuple[int, int, int], written: str) -> str:
    """The release as Calico writes it; where no patch was told, none is."""
    told = _RELEASE.search(written[:200])
    return f"v{found[0]}.{found[1]}" + (f".{found[2]}" if told and told.group(3) else "")


def read(cluster: Cluster | None, nodes: Mapping[str, Node]) -> Versions:
    """Return the releases. What a node's process says goes before its pod's image."""
    found: dict[str, str] = {}
    for pod in cluster.pods if cluster else ():
        if pod.component in (CALICO_NODE, CANAL) and pod.node:
            image = next((one.image for one in pod.containers if is_agent(Made(one.name, one.image))), "")
            if of_image(image):
                found[pod.node] = of_image(image)
    for node in nodes.values():
        told = release(node.calico_version)
        if told is not None:
            found[node.nodename or node.name] = _shown(told, node.calico_version)
    counted = Counter(found.values()).most_common()
    usual = counted[0][0] if counted else _of_cluster(cluster)
    return Versions(found, usual, len(counted) > 1)


def _of_cluster(cluster: Cluster | None) -> str:
    """The release by the DaemonSet's image, else by what Calico or the operator of the cluster wrote."""
    if cluster is None:
        return ""
    container = effective.container(effective.agent(cluster))
    written = [of_image(container.image) if container else "", cluster.calico_version]
    return next((_shown(found, text) for text in written if (found := release(text))), "")


def oldest(versions: Versions) -> tuple[int, int, int] | None:
    """The oldest release that runs, None if none is known: while releases are mixed, its rules still hold somewhere."""
    known = [found for found in map(release, (*versions.nodes.values(), versions.usual)) if found]
    return min(known, default=None)


def newest(versions: Versions) -> tuple[int, int, int] | None:
    """The newest release that runs, None if none is known."""
    known = [found for found in map(release, (*versions.nodes.values(), versions.usual)) if found]
    return max(known, default=None)
