# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of a node, most telling first: programs that only read, and files.

None of them opens a connection to another node, and none is asked what would load a part of the kernel (`needs`) or
start a service (`process`: it must run already). Lists of processes are without their arguments, sockets of WireGuard
without keys, for these may hold secrets.
"""

from __future__ import annotations

from .._record import NamedTuple
from .model import MORE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

KIB = 1024


class Command(NamedTuple):
    """A program and its arguments. `needs`: a module of the kernel that must be there already, `process`: a program
    that must run already; '' for none. `most`: bytes that are kept of its output."""

    name: str
    argv: Sequence[str]
    needs: str = ""
    process: str = ""
    most: int = 512 * KIB


class File(NamedTuple):
    """A file. `log`: its end is worth more than its beginning."""

    name: str
    path: str
    log: bool = False
    most: int = 256 * KIB


def _more(name: str) -> str:
    return f"{MORE}/{name}.txt"


# The canonical names are those of an evidence bundle.
NETWORK = (
    Command("ip-addr.txt", ("ip", "addr", "show")),
    Command("ip-route.txt", ("ip", "route", "show")),
    Command("ip6-route.txt", ("ip", "-6", "route", "show")),
    Command("ip-rule.txt", ("ip", "rule", "show")),
    Command("ip6-rule.txt", ("ip", "-6", "rule", "show")),
    Command("ip-neigh.txt", ("ip", "neigh", "show")),
    Command(_more("bridge-fdb"), ("bridge", "fdb", "show")),
    Command(_more("ip-link"), ("ip", "-s", "-d", "link", "show")),
    Command(_more("ip-route-all-tables"), ("ip", "route", "show", "table", "all")),
    Command(_more("ip6-route-all-tables"), ("ip", "-6", "route", "show", "table", "all")),
    Command("sockets.txt", ("ss", "-tlnp")),
    Command(
        _more("sockets-of-calico"),
        ("ss", "-tanoi", "( sport = :179 or dport = :179 or sport = :5473 or dport = :5473 )"),
    ),
    Command(_more("socket-summary"), ("ss", "-s")),
)
FILTERS = (
    Command("nft-ruleset.txt", ("nft", "list", "ruleset"), needs="nf_tables", most=1024 * KIB),
    Command("ipset.txt", ("ipset", "save"), needs="ip_set", most=1024 * KIB),
    Command("firewalld.txt", ("firewall-cmd", "--list-all-zones"), process="firewalld"),
    Command(_more("tc-qdisc"), ("tc", "-s", "qdisc", "show")),
)
CLOCK = (
    Command("chronyc-tracking.txt", ("chronyc", "-n", "tracking"), process="chronyd"),
    Command("chronyc-sources.txt", ("chronyc", "-n", "sources"), process="chronyd"),
    Command("ntpq.txt", ("ntpq", "-n", "-c", "rv", "-p"), process="ntpd"),
    Command("timedatectl.txt", ("timedatectl", "timesync-status", "--no-pager"), process="systemd-timesyn"),
)
HOST = (
    Command("uname.txt", ("uname", "-a")),
    File("os-release.txt", "/etc/os-release"),
    File("modules.txt", "/proc/modules"),
    Command("processes.txt", ("ps", "-eo", "pid,ppid,stat,etime,rss,comm")),
    Command(_more("wireguard-handshakes"), ("wg", "show", "all", "latest-handshakes"), needs="wireguard"),
    Command(_more("wireguard-endpoints"), ("wg", "show", "all", "endpoints"), needs="wireguard"),
    File("netstat.txt", "/proc/net/netstat"),
    File(_more("snmp"), "/proc/net/snmp"),
    File(_more("softnet-stat"), "/proc/net/softnet_stat"),
    File(_more("loadavg"), "/proc/loadavg"),
    File(_more("meminfo"), "/proc/meminfo"),
    File(_more("pressure-cpu"), "/proc/pressure/cpu"),
    File(_more("pressure-memory"), "/proc/pressure/memory"),
    File(_more("resolv.conf"), "/etc/resolv.conf"),
    File(_more("var-lib-calico-nodename"), "/var/lib/calico/nodename"),
    File(_more("var-lib-calico-mtu"), "/var/lib/calico/mtu"),
    File(_more("ufw.conf"), "/etc/ufw/ufw.conf"),
    # Of the root only: a mount that hangs would hang whoever asks about it.
    Command(_more("disk-space"), ("df", "-h", "/")),
    Command(_more("disk-inodes"), ("df", "-i", "/")),
    Command(_more("dmesg"), ("dmesg",)),
    Command(_more("containers"), ("crictl", "ps", "-a")),
)
# Switches of the kernel that are of interest by how their names begin; of these none whose name tells of a key.
SETTINGS = ("net.", "fs.inotify.", "fs.file-", "kernel.pid_max", "kernel.threads-max", "kernel.panic", "vm.overcommit")
KEYS_IN_SETTINGS = ("key", "secret")
SYSCTL = Command("sysctl.txt", ("sysctl", "-a"), most=512 * KIB)
UFW = Command("ufw-status.txt", ("ufw", "status", "verbose"))
UFW_SWITCH = ("/etc/ufw/ufw.conf", "ENABLED=yes")
LOGS = (
    File("bird.log", "/var/log/calico/bird/current", True, 1024 * KIB),
    File("bird6.log", "/var/log/calico/bird6/current", True, 512 * KIB),
    File("confd.log", "/var/log/calico/confd/current", True, 512 * KIB),
    File(f"{MORE}/felix.log", "/var/log/calico/felix/current", True, 1024 * KIB),
    File("cni.log", "/var/log/calico/cni/cni.log", True, 512 * KIB),
)
CNI_FOLDERS = (
    "/etc/cni/net.d",
    "/var/lib/rancher/k3s/agent/etc/cni/net.d",
    "/var/lib/rancher/rke2/agent/etc/cni/net.d",
    "/var/snap/microk8s/current/args/cni-network",
)
