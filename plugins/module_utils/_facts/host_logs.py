# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The telling lines of this node's logs: which files there are, which were written to of late, and whether kubelet's
journal must be asked for.

A program (journalctl) is started only where kubelet writes to no file and something that its lines explain is amiss: a
healthy node's journal tells nothing that is not seen elsewhere.
"""

from __future__ import annotations

import os
import time

from .._host import kubelet
from .._host.processes import names_in
from .._record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Dict

    from .._host.calico_log import Line
    from .host import View
    from .sources import Sources

    Facts = Dict[str, Any]

KUBELET_LOGS = (
    "/var/log/kubelet.log",
    "/var/lib/rancher/rke2/agent/logs/kubelet.log",
    "/var/log/syslog",
    "/var/log/messages",
)
# Here the kernel and network managers write, too.
SYSTEM_LOGS = KUBELET_LOGS[2:]
_ABOUT_HOST = (
    *("table full, dropping", "networkd", "NetworkManager"),
    *("UDP: bad checksum", "Unknown symbol", "disagrees about version of symbol"),
)
CALICO_PODS = ("_calico-node-", "_canal-", "_rke2-canal-")
SERVICES = (
    "felix",
    "confd",
    "monitor-addresses",
    "allocate-tunnel-addrs",
    "node-status-reporter",
    "node-services",
    "cni",
)
CNI_LOG = "/var/log/calico/cni/cni.log"
TYPHA_PODS = ("calico-typha",)
KUBE_CONTROLLERS = "calico-kube-controllers"
COREDNS = "coredns"
KUBE_PROXY = "kube-proxy"
# What it says of the kernel and of iptables is Calico's matter, too.
_OF_PROXY = ("kernel_lacks", "iptables_backend", "ipset_incompatible", "conntrack_full")
CALICO, FLANNEL, KUBELET = "calico", "flannel", "kubelet"
# Of the pods' containers: whose lines they write, and how many of the newest files are read.
_CONTAINERS = {
    "calico-node": (CALICO, 2),
    "install-cni": (CALICO, 1),
    "kube-flannel": (FLANNEL, 1),
}
_CNI_TAIL = 64 * 1024
_TELL_HEALTH = ("felix", "typha_here")
_WELL = ("ready", "off", "unknown")
_NEARLY = 60.0
# Whoever waits for a server asks again within that time: for so long to say nothing more of it means something.
_QUIET = 300


class Moment(NamedTuple):
    """When the logs are read, in seconds since the epoch, by how much local time is before UTC, and since when they are
    of interest. `ends` are the logs of another host of which not all was read there, with how they begin."""

    now: float
    ahead: int | None
    since: float
    ends: Mapping[str, str] | None = None


def gather(view: View, facts: Mapping[str, Any], sources: Sources) -> Facts:
    """Return calico_node.host.log; `facts` are the other keys of calico_node.host. Notes the source host_logs for what
    could not be read, and host_journal if the journal was looked for in vain."""
    now = view.elsewhere.now if view.elsewhere else time.time()
    since = now - view.window
    fresh = [one for one in calico_logs(view.root) if _modified(one[0]) >= since]
    written = [path for path in (view.root + path for path in KUBELET_LOGS) if _modified(path) >= since]
    systems = [path for path in written if path[len(view.root) :] in SYSTEM_LOGS]
    kubelets = list(dict.fromkeys(written[:1] + systems[:1]))
    denied = [path for path in [one[0] for one in fresh] + kubelets if not os.access(path, os.R_OK)]
    odd = [path for path in [one[0] for one in fresh] + kubelets if os.path.exists(path) and not os.path.isfile(path)]
    if denied:
        sources.failed("host_logs", f"{', '.join(denied)} may not be read")
    elif odd:
        sources.failed("host_logs", f"not a regular file, which is not read: {', '.join(odd)}")
    ahead = view.elsewhere.ahead if view.elsewhere else None
    ends = view.elsewhere.ends if view.elsewhere else None
    lines: list[Line] = []
    cut: list[str] = []
    for path, component in [*((path, KUBELET) for path in kubelets), *fresh]:
        lines += _lines_of(path, component, view.root, Moment(now, ahead, since, ends), cut)
    if not any(line.component == KUBELET for line in lines):
        journal = _journal(view, facts, sources)
        if journal:
            from .._host import calico_log

            told = calico_log.parse_kubelet(journal, now, ahead)
            lines += calico_log.followed(told, journal, now, ahead, kubelet=True)
    if cut and not denied and not odd:
        sources.ok("host_logs", f"only the ends of {', '.join(cut)} were read, which do not reach back for the window")
    if not lines:
        return {}
    from .._host import calico_log

    return {"log": [_entry(line) for line in calico_log.recent(lines, now, view.window)]}


def _lines_of(path: str, component: str, root: str, moment: Moment, cut: list[str]) -> list[Line]:
    """Return the telling lines of one file; note it in `cut` if what was read of it does not reach back far enough."""
    from .._host import calico_log, log_lines

    text = log_lines.read_tail(path, _CNI_TAIL if path == root + CNI_LOG else log_lines.TAIL_BYTES)
    shown = path[len(root) :]
    first = text if _size(path) > len(text.encode("utf-8", "replace")) else None
    if moment.ends is not None:
        first = moment.ends.get(shown)
    if first is not None:
        begins = calico_log.time_of(first, moment.now, moment.ahead)
        if begins is None or begins > moment.since + _NEARLY:
            cut.append(shown)
    if component == KUBELET:
        found: list[Line] = []
        if shown in SYSTEM_LOGS and any(words in text for words in _ABOUT_HOST):
            from .._host import host_log

            found = host_log.parse(text, moment.now, moment.ahead)
        told = calico_log.parse_kubelet(text, moment.now, moment.ahead)
        return found + calico_log.followed(told, text, moment.now, moment.ahead, kubelet=True)
    if component == FLANNEL:
        told = calico_log.parse_flannel(text, moment.now, moment.ahead)
        return calico_log.followed(told, text, moment.now, moment.ahead)
    if component == COREDNS:
        from .._host import dns_log

        return dns_log.parse(text, moment.now, moment.ahead)
    told = calico_log.parse(text, component)
    if component == KUBE_PROXY:
        told = [line for line in told if line.kind in _OF_PROXY]
    return calico_log.followed(told, text, moment.now, moment.ahead)


def calico_logs(root: str) -> list[tuple[str, str]]:
    """Return the newest logs of Calico's, CoreDNS' and kube-proxy's containers, those that calico-node writes itself
    where told to, and the CNI plugin's, each with the program whose it is ('' if the lines say that)."""
    by_container: dict[str, list[str]] = {}
    pods = f"{root}/var/log/pods"
    for pod in names_in(pods):
        containers: Iterable[str] = ()
        if any(words in pod for words in CALICO_PODS):
            containers = _CONTAINERS
        elif any(words in pod for words in TYPHA_PODS):
            containers = TYPHA_PODS
        elif KUBE_CONTROLLERS in pod:
            containers = (KUBE_CONTROLLERS,)
        elif f"_{COREDNS}-" in pod:
            containers = (COREDNS,)
        elif f"_{KUBE_PROXY}-" in pod:
            containers = (KUBE_PROXY,)
        for container in containers:
            folder = f"{pods}/{pod}/{container}"
            there = [f"{folder}/{name}" for name in names_in(folder) if name.endswith(".log")]
            by_container.setdefault(container, []).extend(there)
    found = []
    for container, paths in by_container.items():
        whose, most = _CONTAINERS.get(container, (CALICO, 1))
        component = FLANNEL if whose == FLANNEL else "" if container == "calico-node" else container
        found += [(path, component) for path in sorted(paths, key=_modified, reverse=True)[:most]]
    if not by_container.get("calico-node"):
        found += [(f"{root}/var/log/calico/{service}/current", service) for service in SERVICES]
    return [*found, (root + CNI_LOG, "cni-plugin")]


def amiss(facts: Mapping[str, Any], installed: bool, ages: Iterable[float], window: float) -> str:
    """Return why kubelet's lines are wanted, '' if nothing calls for them. `ages` are those of kubelet, the container
    runtime and calico-node's programs, in seconds."""
    plane = facts.get("control_plane", {})
    unwell = [name for name in _TELL_HEALTH if plane.get(name, {}).get("state", "ready") not in _WELL]
    api = [entry for entry in plane.get("apiserver", {}).values() if "kubelet" in entry.get("told", ())]
    cni = facts.get("cni")
    checks = (
        ("kubelet does not run", "running" in facts.get("kubelet", {})),
        ("kubelet does not go on", "state" in facts.get("kubelet", {})),
        ("the container runtime does not run", "running" in facts.get("container_runtime", {})),
        ("the container runtime's socket is missing", "socket_missing" in facts.get("container_runtime", {})),
        ("nothing of Calico runs", not installed),
        ("something was started within the window", any(age < window for age in ages)),
        ("there is no CNI configuration", not cni or not cni.get("files")),
        ("the CNI plugin's token has expired", (cni or {}).get("token_expires_in_seconds", 1) <= 0),
        ("a certificate needs attention", bool(facts.get("certificates"))),
        (f"{' and '.join(unwell)} is not ready", bool(unwell)),
        ("kubelet has no connection to the API server", any(_is_lost(entry) for entry in api)),
    )
    return next((why for why, holds in checks if holds), "")


def _is_lost(entry: Mapping[str, Any]) -> bool:
    return "opening" in entry or "retransmitting" in entry or entry.get("established") == 0


def _journal(view: View, facts: Mapping[str, Any], sources: Sources) -> str:
    """Return the end of kubelet's journal, which is in a form that no file reader understands; '' if not wanted."""
    if view.elsewhere is not None and view.elsewhere.journal:
        return view.elsewhere.journal
    if not os.path.isdir(view.root + "/run/systemd/system"):
        return ""
    holder, supervisor = kubelet.keeper(view.processes, view.processes.network_namespace)
    concerned = [*view.installation.processes, *([holder] if holder else [])]
    ages = [age for age in (process.started_seconds_ago for process in concerned) if age is not None]
    why = amiss(facts, bool(view.installation.processes), ages, view.window)
    if not why:
        return ""
    if view.elsewhere is not None:
        sources.absent("host_journal", f"{why}, and the journal tells nothing of it")
        return ""
    from .._host import commands, distributions

    units = distributions.units(holder or supervisor, view.root)
    if not units:
        sources.absent("host_journal", f"{why}, but no unit of systemd is known in which kubelet runs")
        return ""
    argv = ["journalctl", "-q", "--no-pager", "-o", "short-iso", "-n", "400", "--since", f"-{int(view.window)}s"]
    result = commands.run([*argv, *(word for unit in units for word in ("-u", unit))], view.timeout, 1 << 18)
    if result.stdout:
        sources.ok("host_journal", f"asked for {', '.join(units)}: {why}")
    else:
        sources.absent("host_journal", f"{why}, and the journal has no lines of {', '.join(units)}")
    return result.stdout


def _entry(line: Line) -> Facts:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(line.at)) if line.at is not None else None
    entry: Facts = {"at": at, "component": line.component, "kind": line.kind, "text": line.text}
    if line.times > 1:
        entry["count"] = line.times
    if line.quiet >= _QUIET:
        entry["quiet_seconds"] = line.quiet
    return entry


def _modified(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
