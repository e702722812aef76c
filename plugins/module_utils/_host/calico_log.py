# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The telling lines of what calico-node's programs and kubelet wrote of late.

Felix, confd and the programs that start calico-node write "2026-11-21 00:00:00.000 [ERROR][88] felix/route_mgr.go 548:
Failed to get tunnel device, retrying... error=…". The words looked for are those of Calico 3.20 to 3.32: startup.go,
autodetection_methods.go and filtered.go below node/pkg/lifecycle/startup, token_watch.go in node/pkg/cni; daemon.go,
route_mgr.go, ipip_mgr.go, int_dataplane.go and table.go below felix; client.go and resource.go below confd/pkg;
plugin.go in cni-plugin/pkg/plugin, whose messages kubelet passes on.
Imported only if a log was written to within the window.
"""

from __future__ import annotations

import datetime
import re
import time

from .._record import NamedTuple
from .log_lines import shown, stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_LINES = 20
_MOST_OTHERS = 5
KUBELET = "kubelet"
_LEVELS = ("[WARNING]", "[ERROR]", "[FATAL]", "[PANIC]")
# What any program of calico-node may say at level INFO and that tells something all the same.
_TOLD_CALMLY = ("Hit error connecting to datastore", "Host MTU changed", "x509: ", "terminated")
# The first that stands in a line counts.
_CALICO = (
    ("autodetection", "Couldn't autodetect an IPv"),
    ("autodetection", "Unable to auto-detect"),
    ("autodetection", "Autodetection of IPv"),
    ("autodetection", "IP autodetection method"),
    ("autodetection", "no valid IPv"),
    ("node_ip_conflict", "is already using the IPv"),
    ("node_ip_conflict", "conflicting node detected"),
    ("node_ip_not_on_host", "Unable to confirm IPv"),
    ("node_ip_not_on_host", "unable to find parent interface"),
    ("node_ip_not_on_host", "Failed to find parent device"),
    ("node_ip_changed", "address has changed. This could happen"),
    ("unauthorized", "is unauthorized"),
    ("unauthorized", "Unauthorized"),
    ("tls", "x509: "),
    ("typha", "Failed to connect to Typha"),
    ("typha", "connect to Typha"),
    ("datastore", "Unable to access datastore"),
    ("datastore", "Hit error connecting to datastore"),
    ("datastore", "Failed to read Node from datastore"),
    ("datastore", "Failed to get config from datastore"),
    ("datastore", "failed to fetch node resource"),
    ("datastore", "datastore is not ready"),
    ("datastore", "Error getting cluster information"),
    ("datastore", "Unable to set node resource configuration"),
    ("rp_filter", "Kernel's RPF check"),
    ("rp_filter", "RPFilter"),
    ("rp_filter", "rp_filter"),
    ("tunnel", "tunnel device"),
    ("tunnel", "Failed to create VXLAN device"),
    ("tunnel", "VXLAN FDB"),
    ("mtu", "Host MTU changed"),
    ("mtu", "Configured MTU is larger"),
    ("mtu", "auto-detect host MTU"),
    ("mtu", "MTU file"),
    ("iptables", "tables-restore command"),
    ("iptables", "Failed to program iptables"),
    ("iptables", "tables-save command"),
    ("nftables", "Failed to program nftables"),
    ("ipset", "ipset"),
    ("kernel_module", "Failed to load module"),
    ("kernel_module", "modprobe"),
    ("encapsulation_change", "Exiting for encapsulation change"),
    ("health_port", "Health endpoint failed"),
    ("token", "Failed to update CNI token"),
    ("password_secret", "Can't read password"),
    ("peer_address", "PeerIP is not assigned or is malformed"),
    ("config_error", "Error from checkcmd"),
    ("config_error", "Config check failed"),
    ("terminated", "Terminating"),
    ("terminated", "terminated"),
    ("terminated", "Exiting"),
    ("terminated", "shutting down"),
)
_KUBELET = (
    ("nodename_missing", "stat /var/lib/calico/nodename"),
    ("unauthorized", "connection is unauthorized"),
    ("mtu", "failed to read MTU file"),
    ("cni_not_ready", "cni plugin not initialized"),
    ("cni_not_ready", "cni config uninitialized"),
    ("cni_not_ready", "network plugin is not ready"),
    ("certificate", "certificate has expired"),
    ("certificate", "x509: "),
    ("unauthorized", "Unauthorized"),
    ("node_status", "Error updating node status"),
    ("node_status", "Failed to update lease"),
    ("node_status", "Failed to ensure lease exists"),
    ("node_status", "PLEG is not healthy"),
    ("apiserver", "Failed to contact API server"),
    ("apiserver", "dial tcp"),
    ("runtime", "Container runtime network not ready"),
    ("runtime", "container runtime is down"),
    ("start", "Failed to run kubelet"),
    ("start", "failed to run Kubelet"),
    ("calico_restarts", "calico-node"),
)
_SERIOUS_KUBELET = ("E", "F", "W")
_KLOG = r"([IWEF])(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.\d+ +\d+ (?:\S+?:\d+\] ?)?"
_SYSLOG = r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|[+-]\d\d:?\d\d) "
_OLD_SYSLOG = r"([A-Z][a-z][a-z]) +(\d+) (\d\d):(\d\d):(\d\d) "
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_COMPONENT = r"\[\w+\]\[\d+\] ([\w-]+)[/.]"
_DAY = 86400.0


class Line(NamedTuple):
    """One telling line, or `times` of them: when (None: it tells no time), program, kind, text without secrets."""

    at: float | None
    component: str
    kind: str
    text: str
    times: int = 1


def parse(text: str) -> list[Line]:
    """Return the telling lines of a log of calico-node, in their order; a line at level ERROR and above that is of no
    kind known here has the kind "other"."""
    found = []
    for raw in text.splitlines():
        level = next((word for word in _LEVELS if word in raw), "")
        if not level and not any(words in raw for words in _TOLD_CALMLY):
            continue
        kind = next((kind for kind, words in _CALICO if words in raw), "")
        if not kind:
            if level in ("", "[WARNING]"):
                continue
            kind = "other"
        at, message = stamp(raw)
        program = re.search(_COMPONENT, raw)
        found.append(Line(at, program.group(1) if program else "", kind, shown(message)))
    return found


def parse_kubelet(text: str, now: float) -> list[Line]:
    """Return the telling lines of a log that kubelet writes to, alone or among others (syslog, journalctl). Its own
    stamps have no year: it is that of `now`, in seconds since the epoch, or the year before."""
    found = []
    for raw in text.splitlines():
        kind = next((kind for kind, words in _KUBELET if words in raw), "")
        if not kind:
            continue
        klog = re.search(_KLOG, raw)
        _head, named, rest = raw.partition("kubelet[")
        if (klog is None and not named) or (klog is not None and klog.group(1) not in _SERIOUS_KUBELET):
            continue
        iso, old = re.match(_SYSLOG, raw), re.match(_OLD_SYSLOG, raw)
        at = None
        if iso:
            at = _iso(iso)
        elif old and old.group(1) in _MONTHS:
            at = _without_year((_MONTHS.index(old.group(1)) + 1, *map(int, old.groups()[1:])), now)
        elif klog:
            at = _without_year(tuple(map(int, klog.groups()[1:6])), now)
        found.append(Line(at, KUBELET, kind, shown(raw[klog.end() :] if klog else rest.partition("]: ")[2])))
    return found


def recent(lines: Iterable[Line], now: float, window: float) -> list[Line]:
    """Return the newest lines not older than `window` seconds before `now`, newest first: at most 20, of them 5 of kind
    "other". Lines of one program and kind become one, the newest, with their number."""
    collapsed: dict[tuple[str, ...], Line] = {}
    for line in sorted(lines, key=lambda line: line.at or 0.0):
        if line.at is not None and line.at < now - window:
            continue
        key = (line.component, line.kind, line.text[:32] if line.kind == "other" else "")
        before = collapsed.pop(key, None)
        collapsed[key] = line._replace(times=before.times + line.times) if before else line
    newest = list(collapsed.values())[::-1]
    others = [line for line in newest if line.kind == "other"][_MOST_OTHERS:]
    return [line for line in newest if line not in others][:MOST_LINES]


def _iso(match: re.Match[str]) -> float | None:
    year, month, day, hour, minute, second = (int(group) for group in match.groups()[:6])
    zone = match.group(7).replace(":", "")
    away = 0 if zone == "Z" else (int(zone[1:3]) * 3600 + int(zone[3:5]) * 60) * (-1 if zone[0] == "-" else 1)
    try:
        days = datetime.date(year, month, day).toordinal() - 719163
    except ValueError:
        return None
    return days * _DAY + hour * 3600 + minute * 60 + second - away


def _without_year(stamped: tuple[int, ...], now: float) -> float | None:
    """Read month, day, hour, minute and second in local time."""
    month, day, hour, minute, second = stamped
    year = time.localtime(now).tm_year
    try:
        moment = time.mktime((year, month, day, hour, minute, second, 0, 0, -1))
        if moment > now + _DAY:
            moment = time.mktime((year - 1, month, day, hour, minute, second, 0, 0, -1))
    except (OverflowError, ValueError):
        return None
    return moment
