# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files by which a host sets kernel settings when it starts, in the order in which they are read.

Files of sysctl.d are read in the order of their names, one in /etc in place of that of the same name elsewhere, and the
last value counts, but for a line for the very key, which goes before patterns (sysctl.d(5)). `sysctl --system` reads
/etc/sysctl.conf after them (sysctl(8)).
"""

from __future__ import annotations

from .processes import names_in

# The later ones are hidden by the earlier ones.
FOLDERS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
LAST = "/etc/sysctl.conf"


def in_order(root: str = "") -> list[str]:
    """Return the paths of the files of sysctl.d that count."""
    places: dict[str, str] = {}
    for folder in FOLDERS:
        for name in names_in(root + folder):
            if name.endswith(".conf"):
                places.setdefault(name, f"{root}{folder}/{name}")
    return [path for _name, path in sorted(places.items())]
