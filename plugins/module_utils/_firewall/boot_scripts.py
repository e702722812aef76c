# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What else on a host may load filters when it starts: scripts, somebody's own units, services whose files are not read
here. What they load is not worked out; that they may is reason enough not to say that a rule will be gone.

Of all files only whether a line that is no comment calls a program for filters is asked, and only their paths are told.
"""

from __future__ import annotations

import re

from . import persistence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .persistence import Files

SCRIPTS = (
    "/etc/rc.local",
    "/etc/rc.d/rc.local",
    "/etc/rc.d/boot.local",
    "/etc/init.d/boot.local",
    "/etc/network/interfaces",
    "/etc/crontab",
    "/var/spool/cron/crontabs/root",
    "/var/spool/cron/root",
    "/var/lib/cloud/instance/user-data.txt",
)
FOLDERS = (
    "/etc/network/interfaces.d",
    "/etc/network/if-pre-up.d",
    "/etc/network/if-up.d",
    "/etc/NetworkManager/dispatcher.d",
    "/etc/NetworkManager/dispatcher.d/pre-up.d",
    "/etc/networkd-dispatcher/routable.d",
    "/etc/networkd-dispatcher/configured.d",
    "/etc/local.d",
    "/etc/cron.d",
    "/etc/cloud/cloud.cfg.d",
    "/var/lib/cloud/scripts/per-boot",
)
# Services that load rules, and whose files are not read here.
SERVICES = (
    "iptables-restore",
    "ip6tables-restore",
    "ferm",
    "shorewall",
    "shorewall6",
    "firehol",
    "arno-iptables-firewall",
    "apf-firewall",
)
UNIT_FOLDERS = (persistence.UNITS, "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
PROGRAMS = r"ip6?tables(?:-(?:nft|legacy))?(?:-restore)?|nft|ipset|ebtables|ferm|shorewall6?|firehol"
_CALL = re.compile(rf"^(?![ \t]*[#;]).*(?<![\w.-])(?:{PROGRAMS})(?![\w.-])", re.MULTILINE)
_RUN = re.compile(r"^Exec\w{0,16}[ \t]*=[ \t]*(.+)$", re.MULTILINE)
_PROGRAM = re.compile(r"(?<!\S)[-@:+!]*(/[^\s;'\"]{1,255})")
_LIMIT = 1 << 16
_MOST_UNITS, _MOST_NAMES, _MOST_PATHS = 400, 100, 8


def may_load(files: Files) -> list[str]:
    """Return the paths of what may load filters when the host starts, at most 8."""
    found = [path for path in SCRIPTS if calls(files.read(path))]
    for folder in FOLDERS:
        found += [path for path in _inside(files, folder) if calls(files.read(path))]
    found += _units(files)
    if not files.names(persistence.UNITS):
        found += _init_scripts(files)
    return list(dict.fromkeys(found))[:_MOST_PATHS]


def calls(text: str) -> bool:
    """Say whether a script calls a program for filters, other than in a comment."""
    return "\0" not in text[:_LIMIT] and _CALL.search(text[:_LIMIT]) is not None


def _inside(files: Files, folder: str) -> Iterable[str]:
    return [f"{folder}/{name}" for name in sorted(files.names(folder))[:_MOST_NAMES]]


def _units(files: Files) -> list[str]:
    """Return the units started at boot that load filters by themselves or by a script, and the script with them."""
    links: dict[str, str] = {}
    for folder in files.names(persistence.UNITS):
        if folder.endswith((".wants", ".requires")):
            path = f"{persistence.UNITS}/{folder}"
            links.update((name, f"{path}/{name}") for name in files.names(path) if name.endswith(".service"))
    found = []
    for name in sorted(links)[:_MOST_UNITS]:
        service = name[: -len(".service")]
        if service in persistence.SERVICES or files.leads_to(f"{persistence.UNITS}/{name}") == "/dev/null":
            continue
        if service in SERVICES:
            found.append(links[name])
            continue
        path, text = _unit(files, name, links[name])
        runs = "\n".join(_RUN.findall(text[:_LIMIT]))
        if calls(runs):
            found.append(path)
        else:
            found += [script for script in _PROGRAM.findall(runs)[:4] if _is_script_with_calls(files.read(script))]
    return found


def _unit(files: Files, name: str, link: str) -> tuple[str, str]:
    """Return where a unit's text is, and it."""
    target = files.leads_to(link)
    paths = [f"{folder}/{name}" for folder in UNIT_FOLDERS]
    for path in dict.fromkeys(([target] if target.startswith("/") else []) + paths + [link]):
        text = files.read(path)
        if text:
            return path, text
    return link, ""


def _is_script_with_calls(text: str) -> bool:
    return text.startswith("#!") and calls(text)


def _init_scripts(files: Files) -> list[str]:
    names = [name[3:] for folder in persistence.SYSV for name in files.names(folder) if name[:1] == "S"]
    names += [name for folder in persistence.OPENRC for name in files.names(folder)]
    wanted = [name for name in dict.fromkeys(names) if name not in persistence.SERVICES][:_MOST_NAMES]
    return [f"/etc/init.d/{name}" for name in wanted if name in SERVICES or calls(files.read(f"/etc/init.d/{name}"))]
