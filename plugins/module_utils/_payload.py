# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running from Ansible's payload without paying twice.

Ansible sends a module to the node as a zip of source files. Python's zipimport (seen from 3.8 to 3.13) compiles each of
them two times, the first time only to tell its file name: after install() our files are compiled once. And at the end
of a process Python gives back its memory object by object, which is work for nothing, as is the search for cycles of
references before. Under plain Python this file does nothing.
"""

from __future__ import annotations

import atexit
import gc
import sys
import zipimport

_OURS = "/ansible_collections/netmedic/calico/"


class Importer(zipimport.zipimporter):
    """A zipimporter for this collection's files that knows their names without compiling them."""

    def __init__(self, path: str) -> None:
        if _OURS not in path:
            raise zipimport.ZipImportError(f"not ours: {path!r}")
        super().__init__(path)

    def get_filename(self, fullname: str) -> str:
        """Return the path of a module's source, within the path of the zip."""
        ending = "/__init__.py" if self.is_package(fullname) else ".py"
        return f"{self.archive}/{self.prefix}{fullname.rpartition('.')[2]}{ending}"


def install() -> None:
    """Let Importer import what comes after, and the process end swiftly, if this file itself came from a zip."""
    if hasattr(__spec__.loader, "archive") and Importer not in sys.path_hooks:
        sys.path_hooks.insert(0, Importer)
        # The folder of this very file has an importer already.
        sys.path_importer_cache.pop(__file__.rpartition("/")[0], None)
        # A pass lasts seconds and leaves few cycles (0.4 MiB with 10,000 rules): looking for them is work for nothing.
        gc.disable()
        # What is frozen is not searched for cycles of references any more, also not at the very end.
        if hasattr(gc, "freeze"):
            atexit.register(gc.freeze)
