# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that people collect where the better one is missing: calicoctl's table in place of birdcl's, lsmod's list and
logs in place of a node's files. They tell less, and what they do not tell stays unknown.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...module_utils._bird import control, daemon, replies
from ...module_utils._facts import host_logs
from . import bare_words, bird_routes, calicoctl_status, lines, modules, node_told, probes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...module_utils._facts.bgp_daemon import Look
    from ...module_utils._facts.sources import Sources
    from .calicoctl_status import Family, PeerRow
    from .told_files import ToldFiles

VIA = "calicoctl"
STATUS, ROUTES, MODULES, PROBES = "calicoctl-node-status.txt", "birdcl-route.txt", "modules.txt", "probes.json"
_CALICO_POD, _TYPHA_POD = f"ns{host_logs.CALICO_PODS[0]}x", f"ns_{host_logs.TYPHA_PODS[0]}-x"
_CONTROLLERS = host_logs.KUBE_CONTROLLERS
# By name the place where a node has such a log.
LOGS = {
    "calico-node.log": f"/var/log/pods/{_CALICO_POD}/calico-node/0.log",
    "install-cni.log": f"/var/log/pods/{_CALICO_POD}/install-cni/0.log",
    "kube-flannel.log": f"/var/log/pods/{_CALICO_POD}/kube-flannel/0.log",
    "typha.log": f"/var/log/pods/{_TYPHA_POD}/{host_logs.TYPHA_PODS[0]}/0.log",
    "kubelet.log": host_logs.KUBELET_LOGS[0],
    "cni.log": host_logs.CNI_LOG,
    f"{_CONTROLLERS}.log": f"/var/log/pods/ns_{_CONTROLLERS}-x/{_CONTROLLERS}/0.log",
    f"{host_logs.KUBE_PROXY}.log": f"/var/log/pods/ns_{host_logs.KUBE_PROXY}-x/{host_logs.KUBE_PROXY}/0.log",
    f"{host_logs.COREDNS}.log": f"/var/log/pods/ns_{host_logs.COREDNS}-x/{host_logs.COREDNS}/0.log",
}
# Where logs of other names are taken to lie: they may be the system's or of any program of Calico's.
_SYSTEM_LOG = host_logs.SYSTEM_LOGS[0]
_FURTHER_LOG = f"/var/log/pods/{_CALICO_POD}/calico-node/1.log"
_NO_LOGS = (".txt", ".json", ".yml", ".yaml", ".cfg", ".conf", ".conflist", ".network")
READ_ELSEWHERE = ("bird.log", "bird6.log", "confd.log", "calico-extension.log")
_LOADED = "/proc/modules"
# calicoctl shows the sessions whose protocols confd names so (status.go below calicoctl/calicoctl/commands/node).
_SHOWN = ("Mesh_", "Node_", "Global_")


# --- BIRD ---


def spoken(family: str, texts: Mapping[str, str], path: str) -> daemon.Spoken | None:
    """Return what calicoctl says of a family's BIRD, whose socket is at `path`; None if it says nothing of it.

    The table has neither AS numbers nor timers, leaves out who is disabled, and its times are by a clock that it does
    not tell.
    """
    text = texts.get(STATUS, "")
    told = calicoctl_status.parse(text) if text.strip() else None
    known = told.value.families.get(family) if told else None
    if told is not None and known is None and told.value.bird_running is False and family == "ipv4":
        # It found neither family's BIRD among the processes, and the one for IPv4 runs wherever one does.
        known = calicoctl_status.Family(False, ())
    if told is None or known is None:
        return None
    unread = [(problem.line, problem.text) for problem in told.problems]
    if known.error or not known.running:
        why = known.error or "is not running, as calicoctl says"
        state = _state(known)
        return daemon.Spoken(state, why, "", path, None, None, time.time(), STATUS, unread)
    sessions = [_session(row) for row in known.peers]
    return daemon.Spoken(control.ANSWERS, "", VIA, path, None, sessions, time.time(), STATUS, unread)


def _state(known: Family) -> str:
    """Return what calicoctl's words for why it could not ask BIRD mean; it has none where there is no process."""
    error = known.error
    if not error or "refused" in error:
        return control.REFUSED
    if "no such file" in error.lower():
        return control.ABSENT
    return control.DENIED if "ermission denied" in error else control.NO_ANSWER


def _session(row: PeerRow) -> replies.Session:
    """Return a row as BIRD's own listing would have it; confd names a protocol by its kind and its peer's address."""
    name = f"{row.kind}_{row.peer.replace('.', '_').replace(':', '_')}" if row.kind else row.peer
    return replies.Session(
        name=f"{name}_port_{row.port}" if row.port else name,
        state=row.state,
        bgp_state=row.bgp_state,
        last_error=row.last_error,
        since=None,
        peer=row.peer,
        peer_as=None,
        local_as=None,
        peer_id="",
        source="",
        hold_timer="",
        imported=0,
        exported=0,
        external=False,
        restarting=False,
    )


def of_one_node(look: Look) -> bool:
    """Whether calicoctl's table and the configuration on disk are of one node: they have peers in common, and none is
    the node that the file was made for."""
    if not look.spoken.sessions or look.on_disk is None:
        return False
    config = look.on_disk.config
    running = {session.peer for session in look.spoken.sessions}
    own = {config.router_id, config.own_address, *(peering.source for peering in config.peerings)}
    return running.isdisjoint(own) and not running.isdisjoint(peering.peer for peering in config.peerings)


def shows_all(look: Look) -> bool:
    """Whether calicoctl's table has all sessions of this configuration that BIRD knows: no row was left out of the
    copy, and all names are of the kind that it shows."""
    config = look.on_disk.config if look.on_disk else None
    return (
        config is not None
        and not look.spoken.unread
        and all(peering.name.startswith(_SHOWN) for peering in config.peerings)
    )


def with_routes(told: daemon.Spoken, family: str, texts: Mapping[str, str]) -> daemon.Spoken:
    """Count the routes that BIRD's table has of each session, where its list of protocols was made without `all`."""
    sessions = told.sessions
    if not sessions or any(session.imported or session.hold_timer for session in sessions) or ROUTES not in texts:
        return told
    counts: dict[str, int] = {}
    for route in bird_routes.parse(texts[ROUTES]).value:
        if (":" in route.prefix) == (family == "ipv6"):
            counts[route.protocol] = counts.get(route.protocol, 0) + 1
    return told._replace(sessions=[one._replace(imported=counts.get(one.name, 0)) for one in sessions])


def measured(texts: Mapping[str, str], found: Mapping[str, dict[str, Any]], sources: Mapping[str, Sources]) -> None:
    """Put what probes.json has into calico_bgp and calico_mtu (`found`, by part): measuring beats not having tried."""
    if not texts.get(PROBES, "").strip():
        return
    told = probes.parse(texts[PROBES])
    bgp, mtu = found["bgp"], found["mtu"]
    for name, entries in (("probes", told.value.tcp), ("peer_reachability", told.value.reachability)):
        if entries:
            bgp[name] = list(entries)
            bgp.pop(f"{name}_groups", None)
            node_told.note(sources["bgp"], "probes", told.problems)
    if told.value.paths:
        mtu["paths"] = list(told.value.paths)
        node_told.note(sources["mtu"], "path_mtu", told.problems)


# --- the host ---


def lay_out(texts: Mapping[str, str], files: ToldFiles, now: float) -> None:
    """Put logs, and the list of loaded modules, where a node has them."""
    for name, path in LOGS.items():
        if texts.get(name, "").strip():
            files.add(path, _logged(texts[name]), now)
    further = "\n".join(_logged(texts[name]) for name in further_logs(texts))
    if further:
        files.add(_SYSTEM_LOG, further, now)
        files.add(_FURTHER_LOG, further, now)
    loaded = modules.parse(texts[MODULES]).value if texts.get(MODULES, "").strip() else {}
    if loaded:
        files.add(_LOADED, "".join(f"{name} {module.size} 0 - Live 0x0\n" for name, module in loaded.items()))


def _logged(text: str) -> str:
    """A log without what was typed to see it: a pattern that somebody looked for is nothing that was found."""
    return bare_words.marked(lines.printed(text))


def further_logs(texts: Mapping[str, str]) -> list[str]:
    """Return the names of logs that are not called as such a log usually is."""
    known = (*LOGS, *READ_ELSEWHERE)
    return [
        name
        for name, text in texts.items()
        if name not in known
        and text.strip()
        and (name.endswith(".log") or not name.endswith(_NO_LOGS) or "dmesg" in name or "journal" in name)
    ]


def has_logs(files: ToldFiles) -> bool:
    """Say whether there is a log."""
    return any(files.exists(path) for path in (*LOGS.values(), _SYSTEM_LOG))


def has_modules(files: ToldFiles) -> bool:
    """Say whether there is a list of loaded modules."""
    return files.exists(_LOADED)
