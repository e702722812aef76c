# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a host's clock comes to be kept right: by the time service that is there, with servers that it has or is given.

The clock itself is left to the service, which steps or slews it by its own rules.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from .._evidence import plain
from .model import Decision, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .model import Given

    Change = dict[str, Any]

_MARK = "# netmedic.calico time_sync\n"
_OWN = "zz-netmedic-calico.conf"
_SYSTEMD = "/run/systemd/system"
_UNIT = ".service"
_RUNIT = ("/etc/service", "/etc/service/enabled")
_PACKAGE = "chrony"
_TIMESYNCD = "timesyncd"
_TIMESYNCD_FILE = f"/etc/systemd/timesyncd.conf.d/{_OWN}"
_NAME = re.compile(r"[A-Za-z0-9.:_-]{1,253}\Z")


class _Service(NamedTuple):
    """names: of its service, under systemd or runit. files: where its configuration may be. line: one that gives it a
    server; sources: the beginnings of lines that give it any source of time."""

    names: tuple[str, ...]
    files: tuple[str, ...]
    line: str
    sources: tuple[str, ...]


# As node_facts names them; the first one is taken where several are there and none runs.
_SERVICES = {
    "chrony": _Service(
        ("chronyd", "chrony"),
        ("/etc/chrony/chrony.conf", "/etc/chrony.conf"),
        "server {} iburst",
        ("server", "pool", "peer", "refclock", "include", "confdir", "sourcedir", "local"),
    ),
    "ntpd": _Service(
        ("ntpsec", "ntpd", "ntp"),
        ("/etc/ntpsec/ntp.conf", "/etc/ntp.conf"),
        "server {} iburst",
        ("server", "pool", "peer", "broadcastclient", "includefile"),
    ),
    "openntpd": _Service(
        ("openntpd", "ntpd"),
        ("/etc/openntpd/ntpd.conf", "/etc/ntpd.conf"),
        "server {}",
        ("server", "servers", "sensor"),
    ),
    _TIMESYNCD: _Service(("systemd-timesyncd",), ("/etc/systemd/timesyncd.conf",), "", ("NTP", "FallbackNTP")),
}


def changes(given: Given) -> Decision:
    """Service and servers; `more` has install, the package to be installed first, '' for none.

    Options: clock (calico_chrony), present (what find found of services), configurations (what slurp read), servers,
    fallback_servers, install, restart. Raises ValueError for a configuration that is no text.
    """
    options = given.options
    clock = plain.mapping(options.get("clock")) or plain.mapping(given.own.get("calico_chrony"))
    if not clock:
        return refuse(f"{given.host} does not tell of its clock: {given.missing.get(given.host, 'no facts')}")
    strange = [name for name in plain.texts(options.get("servers")) if not _NAME.match(name)]
    if strange:
        return refuse(f"{strange[0]!r} is no name or address of a time server")
    running = plain.text(clock.get("service"))
    kind, name = _chosen([plain.text(one.get("path")) for one in plain.mappings(options.get("present"))], running)
    if not kind:
        return _absent(given)
    texts = dict(_read(one) for one in plain.mappings(options.get("configurations")))
    servers, why_not = _servers(kind, clock, texts, options)
    configured, problem = _configured(kind, texts, servers)
    if problem:
        return refuse(f"{given.host}: {problem}")
    made = [*configured]
    if made:
        made.append({"kind": "service", "service": name, "run": "restarted", "if_changed": True})
    elif _may_restart(clock, options):
        made.append({"kind": "service", "service": name, "run": "restarted"})
    if not clock.get("running"):
        # A restart starts it, too.
        made = [one for one in made if one["kind"] != "service"]
    made.append({"kind": "service", "service": name, "run": "started", "enabled": True})
    says = [f"{given.host}: {line}" for line in (*why_not, *_remarks(clock))]
    return Decision(made, says, more={"install": ""})


def _read(told: Mapping[str, Any]) -> tuple[str, str]:
    """Path and text of a file that slurp read."""
    path = plain.text(told.get("source"))
    try:
        return path, base64.b64decode(str(told.get("content", ""))).decode()
    except ValueError:
        raise ValueError(f"{path} is no text") from None


def _absent(given: Given) -> Decision:
    if given.options.get("install"):
        return Decision(says=[f"{given.host}: {_PACKAGE} is installed first."], more={"install": _PACKAGE})
    return Decision(
        refused=f"no time service is there on {given.host}; install one, or set time_sync_install=true for {_PACKAGE}",
        more={"install": ""},
    )


def _chosen(present: Sequence[str], running: str) -> tuple[str, str]:
    """The kind of service and its name on this host; ('', '') where there is none."""
    systemd = _SYSTEMD in present
    places = [path.rpartition("/") for path in present]
    names = {
        name.removesuffix(_UNIT)
        for folder, _slash, name in places
        if (folder.endswith("/systemd/system") and name.endswith(_UNIT) if systemd else folder in _RUNIT)
    }
    wanted = [running] if running in _SERVICES else list(_SERVICES)
    for kind in wanted:
        for name in _SERVICES[kind].names:
            if name in names:
                return kind, name
    return "", ""


def _servers(
    kind: str, clock: Mapping[str, Any], texts: Mapping[str, str], options: Mapping[str, Any]
) -> tuple[list[str], list[str]]:
    """The servers to be set, those given or, where there is no other source at all, the fallback; and remarks."""
    given = list(plain.texts(options.get("servers")))
    if given:
        return given, []
    has_any = plain.count(clock.get("sources_total")) > 0 or _has_sources(kind, texts)
    if has_any:
        if clock.get("running") and clock.get("sources_reachable") == 0:
            return [], [
                "none of its time sources answers; let it reach them (UDP 123), or give others with time_sync_servers"
            ]
        return [], []
    return list(plain.texts(options.get("fallback_servers"))), []


def _has_sources(kind: str, texts: Mapping[str, str]) -> bool:
    # What is compiled in stands behind it: timesyncd has servers without any line.
    if kind == _TIMESYNCD:
        return True
    service = _SERVICES[kind]
    lines = [line.split() for path in service.files for line in texts.get(path, "").splitlines()]
    return any(words and words[0] in service.sources for words in lines)


def _configured(kind: str, texts: Mapping[str, str], servers: Sequence[str]) -> tuple[list[Change], str]:
    """The file that names the servers, and why there can be none."""
    if not servers:
        return [], ""
    if kind == _TIMESYNCD:
        content = f"{_MARK}[Time]\nNTP={' '.join(servers)}\n"
        return [{"kind": "file", "path": _TIMESYNCD_FILE, "content": content, "folder": True}], ""
    service = _SERVICES[kind]
    path = next((path for path in service.files if path in texts), "")
    if not path:
        return [], f"there is no configuration of {kind} ({' or '.join(service.files)}) to give servers in"
    lines = [line.split() for line in texts[path].splitlines()]
    known = {words[1] for words in lines if len(words) > 1 and words[0] in ("server", "servers", "pool", "peer")}
    added = "".join(f"{service.line.format(name)}\n" for name in servers if name not in known)
    if not added:
        return [], ""
    folder = next((words[1] for words in lines if kind == "chrony" and len(words) > 1 and words[0] == "confdir"), "")
    if folder:
        return [{"kind": "file", "path": f"{folder}/{_OWN}", "content": _MARK + added}], ""
    text = texts[path]
    end = "" if not text or text.endswith("\n") else "\n"
    return [{"kind": "file", "path": path, "content": f"{text}{end}{_MARK}{added}"}], ""


def _may_restart(clock: Mapping[str, Any], options: Mapping[str, Any]) -> bool:
    """A service that has answers and does not follow them begins anew, where that is asked for."""
    stuck = bool(clock.get("running")) and clock.get("synchronised") is False
    return bool(options.get("restart")) and stuck and plain.count(clock.get("sources_reachable")) > 0


def _remarks(clock: Mapping[str, Any]) -> list[str]:
    others = plain.texts(clock.get("also_running"))
    return [f"{', '.join(others)} keeps the clock, too; two services work against each other"] if others else []
