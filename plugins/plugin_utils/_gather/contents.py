# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the archive: an evidence bundle, with more from the nodes that were read, as far as there is room.

index.json, INDEX.md            what was asked, what came, what did not and why
bundle.json, cluster/…          as in every bundle (_bundle/write.py)
nodes/<name>/facts.json …       the facts of all nodes: the same diagnosis can be made of them
nodes/<name>/<canonical name>   outputs of the nodes that were read
nodes/<name>/more/…             outputs that no diagnosis reads
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, NamedTuple

from ...module_utils._gather.model import LEFT_OUT, Output
from ...module_utils._host import masking
from .._bundle import write
from .._bundle.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a name may be made of, between slashes.
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,200}$")
_DEEPEST = 6
# A header of tar's and what fills up its last block, compressed.
_HEADER = 96
# For index.json and INDEX.md, which tell of all others and come last.
_INDEX_KB = 256
NO_ROOM = "no room was left in the archive (must_gather_max_mb)"


class Gathered(NamedTuple):
    """What came from one node that was to be read: its outputs, or `problem`, why there are none; `seconds` it took."""

    outputs: list[Output]
    problem: str = ""
    seconds: float = 0.0


class Contents(NamedTuple):
    """The files by their paths, and of each node its outputs as they are in there (without their texts). `size`: their
    bytes together."""

    files: Spool
    outputs: dict[str, list[Output]]
    size: int


class TooLargeError(Exception):
    """Not even what must be in the archive fits. The text is a sentence for a person."""


def collect(
    nodes: Mapping[str, write.NodeSaw], besides: write.Written, gathered: Mapping[str, Gathered], max_mb: int
) -> Contents:
    """Put the files together. Facts and objects must fit, or TooLargeError is raised; of outputs those are left out
    that are least telling."""
    files = Spool()
    left = max_mb * 1024 * 1024 - _INDEX_KB * 1024
    size = 0
    for path, text in write.files(nodes, besides):
        files[path] = text
        size += len(text)
        left -= _packed(text)
    if left < 0:
        raise TooLargeError(
            f"The facts and the API's objects alone take more than must_gather_max_mb = {max_mb} allows. Raise it."
        )
    told, more = _outputs(files, write.folder_names(nodes), gathered, left)
    return Contents(files, told, size + more)


def _outputs(
    files: Spool, folders: Mapping[str, str], gathered: Mapping[str, Gathered], left: int
) -> tuple[dict[str, list[Output]], int]:
    """Add the nodes' outputs, the most telling of each node before the next of any. Return what was done with each,
    and how many bytes were added."""
    told: dict[str, list[Output]] = {name: [] for name in gathered}
    queues = {name: merged(one.outputs) for name, one in gathered.items()}
    size = 0
    for at in range(max(map(len, queues.values()), default=0)):
        for name, queue in queues.items():
            if at >= len(queue):
                continue
            output = queue[at]
            path = f"{write.NODES}/{folders[name]}/{output.name}"
            if output.text and path not in files:
                text = masking.in_lines(output.text)
                needed = _packed(text)
                if needed > left:
                    output = output._replace(status=LEFT_OUT, detail=NO_ROOM)
                else:
                    files[path] = text
                    left -= needed
                    size += len(text)
            told[name].append(output._replace(text=""))
    return told, size


def merged(outputs: list[Output]) -> list[Output]:
    """Return the outputs with safe names, those of one name put together: both backends of iptables, say."""
    found: dict[str, Output] = {}
    for output in outputs:
        parts = output.name.split("/")
        if len(parts) > _DEEPEST or not all(map(_PART.match, parts)) or output.name in (write.FACTS, write.PROBES):
            continue
        first = found.get(output.name)
        if first is None:
            found[output.name] = output
        elif output.text:
            text = f"{first.text}{output.text}"
            found[output.name] = first._replace(
                text=text,
                source=f"{first.source}; {output.source}",
                status=first.status if first.status != "ok" else output.status,
                detail=first.detail or output.detail,
                size=first.size + output.size,
                seconds=first.seconds + output.seconds,
            )
    return list(found.values())


def _packed(text: str) -> int:
    """Return about how many bytes of the archive a file takes; by itself it packs worse than among others."""
    return len(zlib.compress(text.encode("utf-8", "replace"), 6)) + _HEADER
