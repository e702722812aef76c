# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m bench.large_api NODES PODS`: a quick server of what a large cluster's API would answer.

Every page is made once, before or when it is first asked for, so that what is measured is the client. The objects are
as large as real ones: with the fields that kubelet and the controllers write and nobody here reads. Tables, metadata
alone and compression are served as by an API server. It prints its address and ends when its standard input does.
"""

from __future__ import annotations

import gzip
import http.server
import json
import sys
import threading
import urllib.parse
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAMESPACE = "calico-system"
AT = "2026-11-21T00:00:00Z"
DATE = "Sat, 21 Nov 2026 00:00:00 GMT"
PODS_OF_A_SERVICE = 30
GROUPS = {
    "": ["nodes", "pods", "events", "namespaces", "services", "configmaps", "secrets"],
    "apps": ["daemonsets", "deployments"],
    "coordination.k8s.io": ["leases"],
    "discovery.k8s.io": ["endpointslices"],
    "admissionregistration.k8s.io": ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
    "apiextensions.k8s.io": ["customresourcedefinitions"],
    "apiregistration.k8s.io": ["apiservices"],
    "crd.projectcalico.org": [
        *("bgpconfigurations", "bgpfilters", "bgppeers", "blockaffinities", "caliconodestatuses"),
        *("clusterinformations", "felixconfigurations", "globalnetworkpolicies", "hostendpoints", "ipamblocks"),
        *("ippools", "kubecontrollersconfigurations"),
    ],
    "operator.tigera.io": ["installations", "tigerastatuses"],
}
_CLUSTER_WIDE = {"nodes", "namespaces"}.union(*(GROUPS[group] for group in GROUPS if group not in ("", "apps")))
_CLUSTER_WIDE -= {"leases", "endpointslices"}
_COMPRESSED_FROM = 128 * 1024


def _meta(name: str, namespace: str = "", labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": name,
        "uid": f"0b1c2d3e-{zlib.crc32(name.encode()):08x}-0000",
        "creationTimestamp": _at(name, 0),
    }
    found["resourceVersion"] = "123456789"
    if namespace:
        found["namespace"] = namespace
    if labels:
        found["labels"] = labels
    found["managedFields"] = [
        {
            "manager": manager,
            "operation": "Update",
            "time": AT,
            "apiVersion": "v1",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": {"f:labels": {".": {}, **{f"f:field-{n}": {} for n in range(20)}}}},
        }
        for manager in ("kubelet", "kube-controller-manager")
    ]
    return {**found, **more}


def _at(name: str, number: int) -> str:
    """A moment of the past months, another one for each object."""
    seed = zlib.crc32(f"{name} {number}".encode())
    return (
        f"2026-{seed % 11 + 1:02}-{seed // 11 % 28 + 1:02}T{seed // 311 % 24:02}:{seed // 7477 % 60:02}:{seed % 60:02}Z"
    )


def _address(number: int) -> str:
    return f"10.0.{number // 250}.{number % 250 + 1}"


def node(number: int) -> dict[str, Any]:
    """A Node as kubeadm, kubelet and Calico leave it."""
    name = f"node-{number:04}"
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/zone": f"zone-{number % 3}",
    }
    annotations = {
        "kubeadm.alpha.kubernetes.io/cri-socket": "unix:///var/run/containerd/containerd.sock",
        "node.alpha.kubernetes.io/ttl": "0",
        "projectcalico.org/IPv4Address": f"{_address(number)}/16",
        "projectcalico.org/IPv4IPIPTunnelAddr": f"192.168.{number // 4 % 250}.{number % 4 * 64}",
        "volumes.kubernetes.io/controller-managed-attach-detach": "true",
    }
    states = [("NetworkUnavailable", "False", "CalicoIsUp"), ("MemoryPressure", "False", "KubeletHasSufficientMemory")]
    states += [
        ("DiskPressure", "False", "KubeletHasNoDiskPressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID"),
    ]
    states += [("Ready", "True", "KubeletReady")]
    cidr = f"10.{100 + number // 250}.{number % 250}.0/24"
    return {
        "metadata": _meta(name, labels=labels, annotations=annotations),
        "spec": {"podCIDR": cidr, "podCIDRs": [cidr]},
        "status": {
            "addresses": [{"type": "InternalIP", "address": _address(number)}, {"type": "Hostname", "address": name}],
            "allocatable": {"cpu": "8", "memory": "32000000Ki", "pods": "110"},
            "capacity": {"cpu": "8", "memory": "32000000Ki", "pods": "110"},
            "conditions": [
                {
                    "type": kind,
                    "status": state,
                    "reason": reason,
                    "message": f"what {reason} says",
                    "lastHeartbeatTime": AT,
                    "lastTransitionTime": _at(name, turn),
                }
                for turn, (kind, state, reason) in enumerate(states)
            ],
            "images": [
                {"names": [f"registry.example.org/image-{n}@sha256:{'0' * 64}"], "sizeBytes": n} for n in range(50)
            ],
            "nodeInfo": {
                "architecture": "amd64",
                "operatingSystem": "linux",
                "osImage": "Debian GNU/Linux 12 (bookworm)",
                "kernelVersion": "6.1.0-30-amd64",
                "kubeletVersion": "v1.29.3",
                "machineID": "0" * 32,
                "systemUUID": "0" * 36,
                "containerRuntimeVersion": "containerd://1.7.24",
            },
        },
    }


def _pod(name: str, namespace: str, on: int, labels: dict[str, str], image: str, address: str) -> dict[str, Any]:
    env = [{"name": f"VARIABLE_{n}", "value": f"value {n}"} for n in range(20)]
    container = {
        "name": labels.get("k8s-app", "app"),
        "image": image,
        "env": env,
        "resources": {"requests": {"cpu": "250m"}},
        "volumeMounts": [{"name": f"v{n}", "mountPath": f"/mnt/{n}"} for n in range(6)],
    }
    started = {"name": container["name"], "ready": True, "restartCount": 0, "image": image, "started": True}
    started.update(state={"running": {"startedAt": AT}}, lastState={}, containerID=f"containerd://{'0' * 64}")
    kinds = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    since = {"lastTransitionTime": _at(name, 1), "lastProbeTime": None}
    conditions = [{"type": kind, "status": "True", **since} for kind in kinds]
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": name[:-6], "uid": "0" * 36, "controller": True}
    return {
        "metadata": _meta(name, namespace, labels, ownerReferences=[owner], generateName=name[:-5]),
        "spec": {
            "containers": [container],
            "nodeName": f"node-{on:04}",
            "serviceAccountName": "default",
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}] * 2,
            "volumes": [{"name": f"v{n}", "emptyDir": {}} for n in range(6)],
        },
        "status": {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "hostIP": _address(on),
            "startTime": AT,
            "qosClass": "Burstable",
            "conditions": conditions,
            "containerStatuses": [started],
        },
    }


def agent(number: int) -> dict[str, Any]:
    """A pod of calico-node."""
    labels = {"k8s-app": "calico-node", "controller-revision-hash": "6f9d7b5c4", "pod-template-generation": "1"}
    image = "docker.io/calico/node:v3.28.1"
    return _pod(f"calico-node-{number:05x}", NAMESPACE, number, labels, image, _address(number))


def other(number: int, nodes: int) -> dict[str, Any]:
    """A pod of somebody else's."""
    on = number % nodes
    address = f"10.{100 + on // 250}.{on % 250}.{number // nodes + 1}"
    labels = {"app": f"app-{number // 30}", "pod-template-hash": "7c5b8d9f4"}
    return _pod(f"app-{number // 30}-{number:05x}", f"team-{number % 40}", on, labels, "registry/app:1.2.3", address)


def _daemon_set() -> dict[str, Any]:
    pod = agent(0)
    labels = {"k8s-app": "calico-node"}
    template = {"metadata": {"labels": labels}, "spec": {"hostNetwork": True, "containers": pod["spec"]["containers"]}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return {"metadata": _meta("calico-node", NAMESPACE, labels), "spec": spec, "status": {"numberReady": 1}}


def _deployment(number: int) -> dict[str, Any]:
    labels = {"app": f"app-{number}"}
    pod = other(number * 30, 1000)
    template = {"metadata": {"labels": labels}, "spec": {"containers": pod["spec"]["containers"]}}
    spec = {"selector": {"matchLabels": labels}, "template": template, "replicas": 30}
    return {"metadata": _meta(f"app-{number}", f"team-{number % 40}", labels), "spec": spec, "status": {"replicas": 30}}


def _slice(number: int, nodes: int) -> dict[str, Any]:
    members = [other(number * PODS_OF_A_SERVICE + n, nodes) for n in range(PODS_OF_A_SERVICE)]
    endpoints = [
        {
            "addresses": [one["status"]["podIP"]],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "nodeName": one["spec"]["nodeName"],
            "targetRef": {"kind": "Pod", "namespace": one["metadata"]["namespace"], "name": one["metadata"]["name"]},
        }
        for one in members
    ]
    meta = _meta(f"app-{number}-abcde", f"team-{number % 40}", {"kubernetes.io/service-name": f"app-{number}"})
    return {"metadata": meta, "addressType": "IPv4", "ports": [{"port": 80}], "endpoints": endpoints}


def _block(number: int) -> dict[str, Any]:
    cidr = f"192.168.{number // 4 % 250}.{number % 4 * 64}/26"
    spec: dict[str, Any] = {"cidr": cidr, "affinity": f"host:node-{number:04}", "allocations": [0] * (number % 40)}
    spec["attributes"] = [
        {"handle_id": f"k8s-pod-network.{'0' * 64}", "secondary": {"namespace": "n", "pod": "p"}}
    ] * 31
    return {"metadata": _meta(cidr.replace(".", "-").replace("/", "-")), "spec": spec}


def _affinity(number: int) -> dict[str, Any]:
    block = _block(number)
    spec = {"cidr": block["spec"]["cidr"], "node": f"node-{number:04}", "state": "confirmed", "deleted": "false"}
    return {"metadata": _meta(f"node-{number:04}-{block['metadata']['name']}"), "spec": spec}


def _lease(number: int) -> dict[str, Any]:
    spec = {
        "holderIdentity": f"node-{number:04}",
        "leaseDurationSeconds": 40,
        "renewTime": "2026-11-21T00:00:00.000000Z",
    }
    return {"metadata": _meta(f"node-{number:04}", "kube-node-lease"), "spec": spec}


def _event(number: int) -> dict[str, Any]:
    about = {"kind": "Node" if number % 2 else "Pod", "name": f"node-{number:04}", "namespace": "default"}
    times = {"firstTimestamp": AT, "lastTimestamp": AT}
    meta = _meta(f"event-{number}", "default")
    return {"metadata": meta, "involvedObject": about, "type": "Normal", "reason": "R", "message": "m" * 80, **times}


def lists(nodes: int, pods: int) -> dict[str, Callable[[], list[dict[str, Any]]]]:
    """What each list holds."""
    named = {name: {"metadata": _meta(name), "spec": {}} for name in ("default-ipv4-ippool", "default")}
    return {
        "nodes": lambda: [node(n) for n in range(nodes)],
        "pods": lambda: [*(agent(n) for n in range(nodes)), *(other(n, nodes) for n in range(pods))],
        "events": lambda: [_event(n) for n in range(nodes)],
        "daemonsets": lambda: [_daemon_set()],
        "deployments": lambda: [_deployment(n) for n in range(pods // 30)],
        "leases": lambda: [_lease(n) for n in range(nodes)],
        "endpointslices": lambda: [_slice(n, nodes) for n in range(pods // PODS_OF_A_SERVICE)],
        "blockaffinities": lambda: [_affinity(n) for n in range(nodes)],
        "ipamblocks": lambda: [_block(n) for n in range(nodes)],
        "ippools": lambda: [{**named["default-ipv4-ippool"], "spec": {"cidr": "192.168.0.0/16", "ipipMode": "Always"}}],
        "bgpconfigurations": lambda: [{**named["default"], "spec": {"asNumber": 64512}}],
        "felixconfigurations": lambda: [named["default"]],
    }


class Pages:
    """Answers by path and query, each made once."""

    def __init__(self, nodes: int, pods: int) -> None:
        self._lists = lists(nodes, pods)
        self._objects: dict[str, list[dict[str, Any]]] = {}
        self._made: dict[tuple[str, str, bool], tuple[int, bytes, bool]] = {}
        self._lock = threading.Lock()

    def answer(self, path: str, accept: str, packed: bool) -> tuple[int, bytes, bool]:
        """Status, body, and whether it is compressed."""
        form = "table" if "as=Table" in accept else "names" if "as=PartialObjectMetadataList" in accept else ""
        key = (path, form, packed)
        if key not in self._made:
            with self._lock:
                code, found = self._find(urllib.parse.urlparse(path), form)
                raw = json.dumps(found, separators=(",", ":")).encode()
                small = not packed or len(raw) < _COMPRESSED_FROM
                self._made[key] = (code, raw if small else gzip.compress(raw, 1), not small)
        return self._made[key]

    def _find(self, url: urllib.parse.ParseResult, form: str) -> tuple[int, dict[str, Any]]:
        steps = url.path.strip("/").split("/")
        if steps == ["version"]:
            return 200, {"gitVersion": "v1.29.3", "major": "1", "minor": "29"}
        if len(steps) < (3 if steps[0] == "apis" else 2):
            return _discovered(steps)
        group = steps[1] if steps[0] == "apis" else ""
        rest = steps[3:] if group else steps[2:]
        if not rest:
            return _resources(group)
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        if rest[0] not in GROUPS.get(group, ()) or len(rest) > 1:
            return 404, {
                "kind": "Status",
                "status": "Failure",
                "code": 404,
                "reason": "NotFound",
                "message": "not found",
            }
        query = dict(urllib.parse.parse_qsl(url.query))
        return 200, _page(list(self._selected(rest[0], namespace, query)), rest[0], query, form)

    def _selected(self, plural: str, namespace: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
        if plural not in self._objects:
            self._objects[plural] = self._lists.get(plural, list)()
        wanted = dict(term.split("=") for term in query.get("labelSelector", "").split(",") if "=" in term)
        for one in self._objects[plural]:
            labels = one["metadata"].get("labels") or {}
            if namespace in ("", one["metadata"].get("namespace")) and wanted.items() <= labels.items():
                yield one


def _discovered(steps: list[str]) -> tuple[int, dict[str, Any]]:
    if steps == ["api"]:
        return 200, {"kind": "APIVersions", "versions": ["v1"]}
    found = []
    for group in filter(None, GROUPS):
        version = {"groupVersion": f"{group}/v1", "version": "v1"}
        found.append({"name": group, "versions": [version], "preferredVersion": version})
    return 200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def _resources(group: str) -> tuple[int, dict[str, Any]]:
    if group not in GROUPS:
        return 404, {"kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound", "message": "not found"}
    found = [
        {
            "name": name,
            "singularName": "",
            "kind": name.title(),
            "namespaced": name not in _CLUSTER_WIDE,
            "verbs": ["get", "list"],
        }
        for name in GROUPS[group]
    ]
    version = f"{group}/v1" if group else "v1"
    return 200, {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": found}


def _page(found: list[dict[str, Any]], plural: str, query: dict[str, str], form: str) -> dict[str, Any]:
    start = int(query.get("continue") or 0)
    limit = int(query.get("limit") or len(found) or 1)
    meta: dict[str, Any] = {"resourceVersion": "1"}
    if start + limit < len(found):
        meta.update({"continue": str(start + limit), "remainingItemCount": len(found) - start - limit})
    items = found[start : start + limit]
    if form == "table":
        return _table(items, plural, meta, query.get("includeObject", "Metadata"))
    if form == "names":
        items = [{"metadata": one["metadata"]} for one in items]
    return {"kind": "List", "apiVersion": "v1", "metadata": meta, "items": items}


def _table(items: list[dict[str, Any]], plural: str, meta: dict[str, Any], include: str) -> dict[str, Any]:
    columns = ["Name", "Ready", "Status", "Restarts", "Age", "IP", "Node"] if plural == "pods" else ["Name", "Age"]
    rows = []
    for one in items:
        name = one["metadata"]["name"]
        cells: list[Any] = [name, "20d"]
        if plural == "pods":
            cells = [name, "1/1", "Running", "0", "20d", one["status"]["podIP"], one["spec"]["nodeName"]]
        row: dict[str, Any] = {"cells": cells}
        if include == "Metadata":
            row["object"] = {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": one["metadata"],
            }
        rows.append(row)
    definitions = [{"name": name, "type": "string", "format": "", "description": "", "priority": 0} for name in columns]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": meta,
        "columnDefinitions": definitions,
        "rows": rows,
    }


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    pages: Pages

    def log_message(self, *_arguments: Any) -> None:
        """Nobody reads it."""

    def date_time_string(self, _timestamp: float | None = None) -> str:
        """The time at which the leases are fresh."""
        return DATE

    def do_GET(self) -> None:
        """Answer."""
        packed = "gzip" in self.headers.get("Accept-Encoding", "")
        code, raw, compressed = self.pages.answer(self.path, self.headers.get("Accept", ""), packed)
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        if compressed:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def main(nodes: int, pods: int) -> None:
    """Serve until the standard input ends."""
    _Handler.pages = Pages(nodes, pods)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
