# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules that this host loads when it starts: which services load some, and what they load. Only files are read.

A file counts only if the service which loads it is enabled: Debian installs an /etc/nftables.conf that nobody loads.
"""

from __future__ import annotations

import os

from .._host.processes import read_text
from .._record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

UNITS = "/etc/systemd/system"
_SYSV = ("/etc/rcS.d", "/etc/rc2.d", "/etc/rc3.d", "/etc/rc5.d")
_OPENRC = ("/etc/runlevels/boot", "/etc/runlevels/default")
_IPTABLES = {
    "netfilter-persistent": (("ipv4", "/etc/iptables/rules.v4"), ("ipv6", "/etc/iptables/rules.v6")),
    "iptables-persistent": (("ipv4", "/etc/iptables/rules.v4"), ("ipv6", "/etc/iptables/rules.v6")),
    "iptables": (("ipv4", "/etc/sysconfig/iptables"), ("ipv4", "/etc/iptables/rules-save")),
    "ip6tables": (("ipv6", "/etc/sysconfig/ip6tables"), ("ipv6", "/etc/iptables/rules6-save")),
}
_NFT = ("/etc/sysconfig/nftables.conf", "/etc/nftables.conf", "/etc/nftables.nft")
_SERVICES = (*_IPTABLES, "nftables", "ufw", "firewalld")
_MOST_BYTES = 32 << 20
_MOST_INCLUDED = 50


class Loader(NamedTuple):
    """One service that loads rules when the host starts. `files` are (family or "", path) of those that exist."""

    service: str
    files: Sequence[tuple[str, str]]


class Files:
    """The host's files, as they are seen below `root`."""

    def __init__(self, root: str) -> None:
        self.root = root

    def read(self, path: str) -> str:
        """Return a file's text, "" if it cannot be read."""
        return read_text(self.root + path, _MOST_BYTES)

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, none if it cannot be read."""
        try:
            return os.listdir(self.root + folder)
        except OSError:
            return []

    def exists(self, path: str) -> bool:
        """Say whether there is a file, or a link whatever it points to."""
        return os.path.lexists(self.root + path)

    def matching(self, pattern: str) -> list[str]:
        """Return the texts of the files which an `include` of nft names, at most 50."""
        from glob import glob

        if not pattern.startswith("/"):
            pattern = "/etc/" + pattern
        return [read_text(path, _MOST_BYTES) for path in sorted(glob(self.root + pattern))[:_MOST_INCLUDED]]


def loaders(files: Files) -> list[Loader]:
    """Return the services which load rules at boot, with their files."""
    enabled = _enabled(files)
    found = []
    for service in _SERVICES:
        if service not in enabled:
            continue
        if service in _IPTABLES:
            own = [(family, path) for family, path in _IPTABLES[service] if files.exists(path)]
        elif service == "nftables":
            own = [("", path) for path in _NFT if files.exists(path)][:1]
        else:
            from . import firewalld_files, ufw

            path = ufw.CONFIGURATION if service == "ufw" else firewalld_files.CONFIGURATION
            own = [("", path)] if service != "ufw" or ufw.is_enabled(files.read) else []
        if own:
            found.append(Loader(service, own))
    return found


def _enabled(files: Files) -> set[str]:
    """Return which of the services are started at boot, by systemd, System V links or OpenRC."""
    found: set[str] = set()
    units = files.names(UNITS)
    if units:
        for folder in units:
            if folder.endswith((".wants", ".requires")):
                names = files.names(f"{UNITS}/{folder}")
                found.update(name for name in _SERVICES if name + ".service" in names)
        return {name for name in found if not _is_masked(files, name)}
    for folder in _SYSV:
        found.update(name[3:] for name in files.names(folder) if name[:1] == "S" and name[3:] in _SERVICES)
    for folder in _OPENRC:
        found.update(name for name in files.names(folder) if name in _SERVICES)
    return found


def _is_masked(files: Files, service: str) -> bool:
    try:
        return os.readlink(f"{files.root}{UNITS}/{service}.service") == "/dev/null"
    except OSError:
        return False
