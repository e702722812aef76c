# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Configurations of CNI: settings that hold a secret are cut by their names; kubeconfigs are not read at all."""

from __future__ import annotations

import json

from .._cluster import redact
from .._host import masking
from .._host.processes import names_in
from . import cutting
from .model import FAILED, MORE, OK, Output
from .wanted import KIB

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ENDINGS = (".conf", ".conflist")
_MOST = 64 * KIB
_MOST_FILES = 20


def gather(folders: Iterable[str], root: str = "") -> Iterator[Output]:
    """Yield each configuration, and the names of all files beside it."""
    for folder in folders:
        names = sorted(names_in(root + folder))
        if not names:
            continue
        shown = folder.strip("/").replace("/", "_")
        listed = "".join(f"{name}\n" for name in names)
        yield Output(f"{MORE}/cni/{shown}.txt", folder, OK, listed, size=len(listed))
        for name in [name for name in names if name.endswith(_ENDINGS)][:_MOST_FILES]:
            path = f"{root}{folder}/{name}"
            try:
                read = cutting.read_file(path, _MOST)
            except OSError as error:
                yield Output(f"{MORE}/cni/{name}.txt", path, FAILED, detail=str(error.strerror or error))
                continue
            yield Output(f"{MORE}/cni/{name}.txt", path, OK, configuration(read.text), size=read.size)


def configuration(text: str) -> str:
    """Return a configuration without secrets: of JSON by the names of its fields, else line by line."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return masking.in_lines(text)
    return json.dumps(redact.value(found), indent=1) + "\n"
