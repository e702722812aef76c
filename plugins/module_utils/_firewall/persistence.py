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
SYSV = ("/etc/rcS.d", "/etc/rc2.d", "/etc/rc3.d", "/etc/rc5.d")
OPENRC = ("/etc/runlevels/boot", "/etc/runlevels/default")
IPTABLES = {
    "netfilter-persistent": (("ipv4", "/etc/iptables/rules.v4"), ("ipv6", "/etc/iptables/rules.v6")),
    "iptables-persistent": (("ipv4", "/etc/iptables/rules.v4"), ("ipv6", "/etc/iptables/rules.v6")),
    "iptables": (("ipv4", "/etc/sysconfig/iptables"), ("ipv4", "/etc/iptables/rules-save")),
    "ip6tables": (("ipv6", "/etc/sysconfig/ip6tables"), ("ipv6", "/etc/iptables/rules6-save")),
}
NFT = ("/etc/sysconfig/nftables.conf", "/etc/nftables.conf", "/etc/nftables.nft")
FIREWALLD = "/etc/firewalld/firewalld.conf"
SERVICES = (*IPTABLES, "nftables", "ufw", "firewalld")
_MOST_BYTES = 32 << 20
_MOST_INCLUDED = 50


class Loader(NamedTuple):
    """One service that loads rules when the host starts. `files` are (family or "", path) of those that exist."""

    service: str
    files: Sequence[tuple[str, str]]


class Files:
    """The host's files, as they are seen below `root`. `knows_scripts` says whether those are among them that load
    filters in ways of their own (see boot_scripts)."""

    knows_scripts = True

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

    def leads_to(self, path: str) -> str:
        """Return what a link points to, "" if there is no link."""
        try:
            return os.readlink(self.root + path)
        except OSError:
            return ""

    def named(self, pattern: str) -> list[str]:
        """Return the paths of the files which an `include` of nft names, at most 50."""
        from glob import glob

        if not pattern.startswith("/"):
            pattern = "/etc/" + pattern
        return [path[len(self.root) :] for path in sorted(glob(self.root + pattern))[:_MOST_INCLUDED]]

    def matching(self, pattern: str) -> list[str]:
        """Return their texts."""
        return [self.read(path) for path in self.named(pattern)]


def with_included(files: Files, path: str) -> list[str]:
    """Return the path of a file in nft's language, and those of the files that it includes, and they, at most 50."""
    from . import nft_words

    found: list[str] = []
    waiting = [path]
    while waiting and len(found) <= _MOST_INCLUDED:
        path = waiting.pop(0)
        if path in found:
            continue
        found.append(path)
        for line in files.read(path).split("\n"):
            if line.lstrip().startswith("include"):
                words = nft_words.split(line)[0]
                waiting += files.named(nft_words.plain(words[1])) if words[:1] == ["include"] and words[1:] else ()
    return found


def loaders(files: Files) -> list[Loader]:
    """Return the services which load rules at boot, with their files."""
    enabled = _enabled(files)
    found = []
    for service in SERVICES:
        if service not in enabled:
            continue
        if service in IPTABLES:
            own = [(family, path) for family, path in IPTABLES[service] if files.exists(path)]
        elif service == "nftables":
            own = [("", path) for path in NFT if files.exists(path)][:1]
        elif service == "firewalld":
            own = [("", FIREWALLD)]
        else:
            from . import ufw

            own = [("", ufw.CONFIGURATION)] if ufw.is_enabled(files.read) else []
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
                found.update(name for name in SERVICES if name + ".service" in names)
        return {name for name in found if not _is_masked(files, name)}
    for folder in SYSV:
        found.update(name[3:] for name in files.names(folder) if name[:1] == "S" and name[3:] in SERVICES)
    for folder in OPENRC:
        found.update(name for name in files.names(folder) if name in SERVICES)
    return found


def _is_masked(files: Files, service: str) -> bool:
    return files.leads_to(f"{UNITS}/{service}.service") == "/dev/null"
