# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""This node's connections to what governs Calico (API server, etcd, Typha), and what Felix and Typha say of themselves.

Calico's own connections tell whether the way is open without anybody else having to try it: established, asked for and
not answered, or established and no longer acknowledged.
"""

from __future__ import annotations

import os
import re

from .._address import settings
from .._host import cni, control_sockets, kubelet, sockets
from .._host.processes import read_text
from .._inet import octets
from .._numbers import is_whole
from .addresses import in_hosts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from typing import Any, Dict, Tuple

    from .._host.processes import Process
    from .._host.sockets import TcpSocket
    from .host import View
    from .sources import Sources

    Facts = Dict[str, Any]
    Endpoint = Tuple[str, int]

TYPHA_PORT, API_PORT = 5473, 6443
_TYPHA = "calico-typha"
_FELIX_HEALTH, _TYPHA_HEALTH = (9099, 9199), (9098,)  # OpenShift's Felix: 9199
HEALTH_PORTS = _FELIX_HEALTH + _TYPHA_HEALTH
KUBECONFIGS = (
    "/etc/kubernetes/kubelet.conf",
    "/etc/kubernetes/kubelet-kubeconfig",
    "/var/lib/kubelet/kubeconfig",
    "/var/lib/rancher/k3s/agent/kubelet.kubeconfig",
    "/var/lib/rancher/rke2/agent/kubelet.kubeconfig",
    "/var/snap/microk8s/current/credentials/kubelet.config",
    "/var/lib/k0s/kubelet.conf",
)
_API = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")
_TYPHA_WANTED = ("FELIX_TYPHAADDR", "FELIX_TYPHAK8SSERVICENAME", "FELIX_TYPHAK8SNAMESPACE")
_FELIX_HEALTH_SET = ("FELIX_HEALTHENABLED", "FELIX_HEALTHPORT")
TYPHA_HEALTH_SET = ("TYPHA_HEALTHENABLED", "TYPHA_HEALTHPORT")
_STORE = ("DATASTORE_TYPE", "ETCD_ENDPOINTS")
VARIABLES = (*_API, *_TYPHA_WANTED, *_FELIX_HEALTH_SET, *_STORE)
_DEFAULT_NAMESPACE = "kube-system"
_TRUE = ("true", "1", "yes", "y", "t")
_SERVER = r"^[ \t]*[\"']?server[\"']?[ \t]*:[ \t]*[\"']?(https?://[^\s\"']{1,512})"
_URL = r"(?:(https?)://)?(\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(\d{1,5}))?(?:/|$)"
_MOST_TOLD = 6
_LIMIT = 1 << 18
_LONGEST = 128


class Told:
    """What this node's programs were told of the endpoints that they are to connect to."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.api: dict[tuple[str, int], list[str]] = {}
        self.etcd: list[tuple[str, int]] = []
        if environment.get(_API[0]):
            self.add("calico", f"[{environment[_API[0]]}]" if ":" in environment[_API[0]] else environment[_API[0]])
        if environment.get("DATASTORE_TYPE") == "etcdv3":
            urls = environment.get("ETCD_ENDPOINTS", "").split(",")
            self.etcd = [one for one in map(endpoint, urls[:_MOST_TOLD]) if one is not None]

    def add(self, who: str, url: str) -> None:
        """Note what `who` was told of the API server."""
        port = self.environment.get(_API[1], "") if who == "calico" else ""
        one = endpoint(f"{url}:{port}" if port else url)
        if one is not None and len(self.api) < _MOST_TOLD and who not in self.api.setdefault(one, []):
            self.api[one].append(who)


def gather(view: View, sources: Sources) -> Facts:
    """Return calico_node.host.control_plane. Notes the source host_control_plane if something of it is not known."""
    processes = view.installation.processes
    environment = settings.read(_felix_first(view), VARIABLES)
    told = Told(environment or {})
    _ask_kubelet_and_plugin(told, view)
    if not (processes or told.api):
        return {}
    if environment is None and processes:
        sources.failed("host_control_plane", "What Calico was told of Typha may not be read.")
    typhas = _typhas(view)
    ports = (*_FELIX_HEALTH, *_TYPHA_HEALTH, *_given_ports(told.environment, typhas), TYPHA_PORT)
    names = {one: resolved(one, view.root) for one in (*told.api, *told.etcd)}
    typha_given = endpoint(told.environment.get(_TYPHA_WANTED[0], ""))
    endpoints = {one for one in (*names.values(), typha_given) if one is not None and octets(one[0])}
    wanted = control_sockets.Wanted(endpoints, (TYPHA_PORT, API_PORT), ports)
    found = control_sockets.read(wanted, os.path.join(view.proc_root, "self", "net"))
    facts = assemble(told, names, found)
    _add_openers(facts, found, view)
    typha = facts.get("typha", {})
    if wanted_typha(told.environment) and not any(one["established"] for one in typha["connections"].values()):
        from . import typha_names

        typha.update(typha_names.of_client(_felix_first(view), told.environment.get(_TYPHA_WANTED[1], "")))
    felix = view.installation.component("felix")
    if felix is not None:
        facts["felix"] = _health(felix, environment, _FELIX_HEALTH_SET, _FELIX_HEALTH, found, view)
    if typhas:
        from . import typha_names

        served = [one for one in found if one.local_port == TYPHA_PORT]
        facts["typha_here"] = _health(
            typhas[0], settings.read(typhas[:1], TYPHA_HEALTH_SET), TYPHA_HEALTH_SET, _TYPHA_HEALTH, found, view
        )
        facts["typha_here"].update(
            typha_names.of_server(typhas[0]),
            listens=any(one.state == sockets.LISTEN for one in served),
            clients=sum(one.state == sockets.ESTABLISHED for one in served),
        )
    return {"control_plane": facts}


def assemble(told: Told, names: Mapping[Endpoint, Endpoint | None], found: Sequence[TcpSocket]) -> Facts:
    """Return apiserver, etcd and typha from what the node's programs were told (`names` are the same endpoints with
    addresses in place of names, None if the address is not known) and the sockets found."""
    facts: Facts = {}
    known = [names[one] for one in told.api]
    api = control_sockets.connections(found, API_PORT, [one for one in known if one is not None])
    for one, who in told.api.items():
        reached = names[one]
        entry = api.setdefault(control_sockets.shown(*(reached or one)), {})
        entry["told"] = sorted({*entry.get("told", ()), *who})
        if reached is None:
            entry["address"] = "unknown"
        elif reached != one:
            entry["name"] = one[0]
    if api:
        facts["apiserver"] = api
    stores = [names[one] for one in told.etcd]
    if stores:
        facts["etcd"] = control_sockets.connections(found, None, [one for one in stores if one is not None])
    typha = wanted_typha(told.environment)
    given = endpoint(typha.get("address", ""))
    port = TYPHA_PORT if given is None else given[1]
    reached_typhas = control_sockets.connections(found, port, [given] if given else [])
    if typha or reached_typhas:
        facts["typha"] = dict(typha, connections=reached_typhas)
    return facts


def wanted_typha(environment: Mapping[str, str]) -> Facts:
    """Return the address or the service (with its namespace) at which Felix looks for Typha; {} if at none.
    service_address is where a service of that name was, in calico-node's own namespace, when its pod started."""
    address, service, namespace = (environment.get(name, "") for name in _TYPHA_WANTED)
    if address not in ("", "none"):
        return {"address": address[:_LONGEST]}
    if service in ("", "none"):
        return {}
    return {"service": f"{namespace or _DEFAULT_NAMESPACE}/{service}"[:_LONGEST]}


def endpoint(url: str) -> Endpoint | None:
    """Return host and port of "https://10.0.0.1:6443/path", "[fd00::1]:6443" or "name"; None if it is nothing such.
    Without a port it is that of the scheme."""
    match = re.match(_URL, url.strip())
    if match is None:
        return None
    port = int(match.group(3) or (80 if match.group(1) == "http" else 443))
    return (match.group(2).strip("[]"), port) if 0 < port < 1 << 16 else None


def resolved(one: Endpoint, root: str = "") -> Endpoint | None:
    """Return the endpoint with an address in place of a name that stands in /etc/hosts; None for any other name."""
    if octets(one[0]):
        return one
    address = in_hosts(one[0], read_text(root + "/etc/hosts"))
    return (address, one[1]) if address else None


def server_of(kubeconfig: str) -> str:
    """Return the URL of the (first) server in a kubeconfig; ''."""
    match = re.search(_SERVER, kubeconfig, re.MULTILINE)
    return match.group(1) if match else ""


def _ask_kubelet_and_plugin(told: Told, view: View) -> None:
    holder = kubelet.keeper(view.processes, view.processes.network_namespace)[0]
    given = [word.partition("=")[2] for word in (holder.argv if holder else ()) if word.startswith("--kubeconfig=")]
    for path in given[-1:] or KUBECONFIGS:
        server = server_of(read_text(view.root + path, _LIMIT))
        if server:
            told.add("kubelet", server)
            break
    for folder in cni.FOLDERS:
        server = server_of(read_text(f"{view.root}{folder}/{cni.KUBECONFIG}", _LIMIT))
        if server:
            told.add("cni", server)
            break


def _add_openers(facts: Facts, found: Sequence[TcpSocket], view: View) -> None:
    """Name the programs whose connections are not answered."""
    waiting = [one for one in found if one.state == control_sockets.OPENING]
    if not waiting:
        return
    holder = kubelet.keeper(view.processes, view.processes.network_namespace)[0]
    likely = [*view.installation.processes, *([holder] if holder else [])]
    owners = sockets.owners([one.inode for one in waiting], likely, ())
    for one in waiting:
        if one.inode in owners:
            for group in (facts.get("apiserver"), facts.get("etcd"), facts.get("typha", {}).get("connections")):
                entry = (group or {}).get(control_sockets.shown(one.peer, one.peer_port))
                if entry is not None:
                    entry["opened_by"] = sorted({*entry.get("opened_by", ()), owners[one.inode].comm})


def _health(
    process: Process,
    environment: Mapping[str, str] | None,
    variables: Sequence[str],
    usual: Sequence[int],
    found: Iterable[TcpSocket],
    view: View,
) -> Facts:
    """Return what a program of Calico's says of its health, or why it cannot be asked. `environment` is None if it may
    not be read."""
    enabled, port = ((environment or {}).get(name, "") for name in variables)
    ports = [int(port)] if is_whole(port) else usual
    listening = [one for one in found if one.state == sockets.LISTEN and one.local_port in ports]
    if not listening:
        if environment is None:
            return {"state": "unknown"}
        return {"state": "not_listening" if enabled.lower() in _TRUE else "off"}
    owners = sockets.owners([one.inode for one in listening], [process], view.processes, 0.3)
    for one in listening:
        owner = owners.get(one.inode)
        if owner is not None and (owner.pid == process.pid or owner in view.installation.processes):
            if view.elsewhere is not None:
                return dict(view.elsewhere.health.get(one.local_port, {"state": "unknown"}))
            from .._host import health

            return health.ask(one.local, one.local_port, min(view.timeout, 1.0))
    other = next(iter(owners.values()), None)
    if other is None:
        return {"state": "unknown"}
    return {"state": "port_taken", "port": listening[0].local_port, "process": other.comm}


def _typhas(view: View) -> list[Process]:
    """Return the Typhas of this host's network; since 3.33 Typha is the program calico's component typha."""
    here = view.processes.network_namespace
    found = view.processes.named(_TYPHA)
    found += [process for process in view.processes.named("calico") if process.argv[-1:] == ("typha",)]
    return [process for process in found if not here or process.network_namespace in ("", here)]


def _felix_first(view: View) -> list[Process]:
    felix = view.installation.component("felix")
    return ([felix] if felix is not None else []) + view.installation.processes


def _given_ports(environment: Mapping[str, str], typhas: Collection[Process]) -> list[int]:
    given = [environment.get(_FELIX_HEALTH_SET[1], "")]
    given += [process.environ(TYPHA_HEALTH_SET[1:]).get(TYPHA_HEALTH_SET[1], "") for process in typhas]
    return [int(port) for port in given if is_whole(port) and int(port) < 1 << 16]
