# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that answers as an API server does, over real HTTP or HTTPS, and misbehaves on demand; a small cluster."""

from __future__ import annotations

import copy
import gzip
import http.server
import json
import re
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from email.utils import formatdate

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import problems, trouble
from ansible_collections.netmedic.calico.plugins.module_utils._cluster.asking import Answer

# Must never come out anywhere.
CANARY = "canary-4711-of-a-secret"
PARAMS = {
    **dict.fromkeys(("kubeconfig", "context", "host", "api_key", "ca_cert", "validate_certs", "proxy")),
    "timeout": 5.0,
    "page_size": 500,
    "kubectl": "auto",
    "via": "auto",
    "workloads": True,
}
_LIST = re.compile(
    r"(?P<root>/api/v1|/apis/[^/]+/[^/]+)(?:/namespaces/(?P<ns>[^/]+)(?=/))?/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+))?$"
)


def meta(name, namespace="", **more):
    """Metadata as an API server gives it, with all that nobody needs."""
    found = {"name": name, "uid": f"uid-{name}", "resourceVersion": "123", "creationTimestamp": "2026-11-01T00:00:00Z"}
    if namespace:
        found["namespace"] = namespace
    found["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"password": CANARY})}
    found["managedFields"] = [
        {
            "manager": "kubectl",
            "operation": "Update",
            "time": "2026-11-02T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:asNumber": {}, ".": {}}, "f:metadata": {"f:labels": {"f:a": {}}}},
        }
    ]
    found.update(more)
    return found


def node(number):
    """A Node as kubelet and Calico write it."""
    name = f"node-{number}"
    found = meta(name, labels={"kubernetes.io/os": "linux", "beta.kubernetes.io/os": "linux", "rack": f"r{number % 3}"})
    found["annotations"]["projectcalico.org/IPv4Address"] = f"10.200.0.{number}/24"
    found["annotations"]["node.alpha.kubernetes.io/ttl"] = "0"
    times = {"lastHeartbeatTime": "2026-11-21T00:00:00Z", "lastTransitionTime": "2026-11-01T00:00:00Z"}
    return {
        "metadata": found,
        "spec": {"podCIDR": f"10.244.{number}.0/24", "podCIDRs": [f"10.244.{number}.0/24"]},
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": f"10.200.0.{number}"},
                {"type": "Hostname", "address": name},
            ],
            "conditions": [
                {"type": "MemoryPressure", "status": "False", "reason": "KubeletHasSufficientMemory", **times},
                {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "all is well", **times},
            ],
            "nodeInfo": {"kubeletVersion": "v1.29.3", "operatingSystem": "linux", "machineID": "x" * 32},
            "images": [{"names": ["registry/image"] * 5, "sizeBytes": 1}] * 50,
        },
    }


def pod(name, namespace, node_name, labels, containers, address="", **status):
    """A pod that runs, unless `status` says otherwise."""
    times = {"lastTransitionTime": "2026-11-01T00:00:00Z"}
    return {
        "metadata": meta(
            name, namespace, labels=labels, ownerReferences=[{"kind": "DaemonSet", "name": "x", "controller": True}]
        ),
        "spec": {"nodeName": node_name, "containers": containers},
        "status": {
            "phase": "Running",
            "podIP": address,
            "hostIP": f"10.200.0.{node_name[5:]}",
            "conditions": [{"type": kind, "status": "True", **times} for kind in ("Ready", "PodScheduled")],
            "containerStatuses": [{"name": one["name"], "ready": True, "restartCount": 0} for one in containers],
            **status,
        },
    }


def agents(count, namespace="calico-system"):
    """calico-node's pods."""
    containers = [
        {"name": "calico-node", "image": "docker.io/calico/node:v3.28.1", "env": [{"name": "A", "value": CANARY}]}
    ]
    return [
        pod(f"calico-node-{n}", namespace, f"node-{n}", {"k8s-app": "calico-node"}, containers, f"10.200.0.{n}")
        for n in range(1, count + 1)
    ]


def daemon_set(namespace="calico-system", name="calico-node"):
    """calico-node's DaemonSet, with what must not come out."""
    env = [
        {"name": "CALICO_NETWORKING_BACKEND", "valueFrom": {"configMapKeyRef": {"name": "calico-config", "key": "b"}}},
        {"name": "FELIX_TYPHAK8SSERVICENAME", "value": "calico-typha"},
        {"name": "ETCD_PASSWORD", "value": CANARY},
        {"name": "SOME_URL", "value": f"https://user:{CANARY}@example.org/"},
    ]
    spec = {
        "serviceAccountName": "calico-node",
        "hostNetwork": True,
        "containers": [{"name": "calico-node", "image": "docker.io/calico/node:v3.28.1", "env": env}],
    }
    labels = {"k8s-app": "calico-node"}
    return {
        "metadata": meta(name, namespace, labels=labels),
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
        "status": {"desiredNumberScheduled": 3, "numberReady": 3},
    }


def small_cluster(nodes=3, others=5):
    """Objects by the path of their list."""
    plain = [{"name": "app", "image": "app:1"}]
    secret = {"secretKeyRef": {"name": "bgp-secrets", "key": "rr", "value": CANARY}}
    return {
        "/api/v1/nodes": [node(n) for n in range(1, nodes + 1)],
        "/api/v1/pods": [
            *agents(nodes),
            *(
                pod(f"app-{n}", "default", f"node-{n % nodes + 1}", {"app": "a"}, plain, f"10.244.0.{n}")
                for n in range(others)
            ),
            pod("kube-proxy-x", "kube-system", "node-1", {"k8s-app": "kube-proxy"}, plain, "10.200.0.1"),
            pod("job-x", "default", "node-1", {}, plain, "10.244.9.9", phase="Succeeded"),
        ],
        "/apis/apps/v1/daemonsets": [daemon_set(), {"metadata": meta("other", "default"), "spec": {}}],
        "/apis/apps/v1/deployments": [],
        "/api/v1/events": [
            {
                "metadata": meta("e1", "default"),
                "involvedObject": {"kind": "Node", "name": "node-1"},
                "reason": "NodeNotReady",
                "type": "Warning",
                "message": "Node node-1 status is now: NodeNotReady",
                "lastTimestamp": "2026-11-20T00:00:00Z",
            },
            {
                "metadata": meta("e2", "calico-system"),
                "involvedObject": {"kind": "Pod", "name": "calico-node-1", "namespace": "calico-system"},
                "reason": "Unhealthy",
                "message": f"Readiness probe failed: token={CANARY}",
                "lastTimestamp": "2026-11-20T00:01:00Z",
            },
            {"metadata": meta("e3", "calico-system"), "involvedObject": {"kind": "Pod", "name": "stranger"}},
        ],
        "/api/v1/namespaces": [{"metadata": meta("calico-system", labels={"name": "calico-system"})}],
        "/api/v1/services": [{"metadata": meta("calico-typha", "calico-system"), "spec": {"clusterIP": "10.96.0.9"}}],
        "/api/v1/configmaps": [
            {"metadata": meta("calico-config", "calico-system"), "data": {"calico_backend": "bird", "other": CANARY}}
        ],
        "/api/v1/secrets": [
            {"metadata": meta("bgp-secrets", "calico-system"), "data": {"rr": CANARY, "other": CANARY}}
        ],
        "/apis/coordination.k8s.io/v1/leases": [
            {"metadata": meta("node-1", "kube-node-lease"), "spec": {"renewTime": "2026-11-21T00:00:00.123456Z"}}
        ],
        "/apis/discovery.k8s.io/v1/endpointslices": [
            {
                "metadata": meta(f"web-{n}", "default", labels={"kubernetes.io/service-name": "web"}),
                "endpoints": [{"nodeName": "node-1", "addresses": ["10.244.0.1"], "conditions": {"ready": True}}],
            }
            for n in range(2)
        ],
        "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations": [],
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations": [
            {
                "metadata": meta("policy"),
                "webhooks": [
                    {
                        "name": "pods.example.org",
                        "failurePolicy": "Fail",
                        "rules": [
                            {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}
                        ],
                        "clientConfig": {"service": {"namespace": "policy", "name": "hook"}, "caBundle": CANARY},
                    },
                    {"name": "other", "rules": [{"apiGroups": ["apps"], "resources": ["*"], "operations": ["*"]}]},
                ],
            }
        ],
        "/apis/apiregistration.k8s.io/v1/apiservices": [],
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions": [
            {"metadata": meta("ippools.crd.projectcalico.org"), "spec": {"x": "y" * 1000}},
            {"metadata": meta("foos.example.org")},
        ],
        "/apis/crd.projectcalico.org/v1/ippools": [
            {"apiVersion": "crd.projectcalico.org/v1", "metadata": meta("default"), "spec": {"cidr": "192.168.0.0/16"}}
        ],
        "/apis/crd.projectcalico.org/v1/bgpconfigurations": [
            {"metadata": meta("default"), "spec": {"asNumber": 64512, "nodeMeshPassword": secret}}
        ],
        "/apis/crd.projectcalico.org/v1/bgppeers": [
            {"metadata": meta("rr"), "spec": {"peerIP": "10.0.0.1", "password": {"secretKeyRef": {"name": "gone"}}}},
            {"metadata": meta("wrong"), "spec": {"peerIP": "10.0.0.2", "password": CANARY}},
        ],
        "/apis/crd.projectcalico.org/v1/ipamblocks": [
            {
                "metadata": meta("b"),
                "spec": {"cidr": "192.168.0.0/26", "affinity": "host:node-1", "allocations": [0, None]},
            }
        ],
        **{
            f"/apis/crd.projectcalico.org/v1/{plural}": []
            for plural in ("bgpfilters", "felixconfigurations", "hostendpoints", "globalnetworkpolicies")
        },
        **{
            f"/apis/crd.projectcalico.org/v1/{plural}": []
            for plural in ("blockaffinities", "caliconodestatuses", "clusterinformations")
        },
        "/apis/crd.projectcalico.org/v1/kubecontrollersconfigurations": [],
    }


def status(code, reason, message):
    """A Status object as the API answers with."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }


class ApiServer:
    """Serves objects. What it does otherwise is set by its attributes from any test, before it is asked."""

    def __init__(self, context=None):
        self.objects = small_cluster()
        self.asked = []  # (method, path, query)
        self.headers = []
        self.hooks = {}  # path -> function(handler, how many times it was asked before) -> True if it answered
        self.allowed = None  # function(verb, group, resource, namespace, name) -> bool
        self.readable = True
        self.tables = True
        self.largest = 10_000
        self._times = {}
        self._lock = threading.Lock()
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        if context is not None:
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.scheme = "http" if context is None else "https"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self._http.server_address[1]}"

    def stop(self):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def paths(self):
        return [path for _method, path, _query in self.asked]

    def times(self, path):
        with self._lock:
            before = self._times.get(path, 0)
            self._times[path] = before + 1
        return before


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        pass  # clients that go away are what some tests are about


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        self._respond("GET")

    def do_POST(self):
        self._respond("POST")

    def _respond(self, method):
        owner = self.server.owner
        parsed = urllib.parse.urlparse(self.path)
        query = dict(urllib.parse.parse_qsl(parsed.query))
        body = self._body()
        owner.asked.append((method, parsed.path, query))
        owner.headers.append(dict(self.headers))
        hook = owner.hooks.get(parsed.path) or owner.hooks.get("*")
        if hook is not None and hook(self, owner.times(parsed.path)):
            return
        code, found = self._found(method, parsed.path, query, body)
        self.send(code, found)

    def _body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = b""
        while True:
            size = int(self.rfile.readline(), 16)
            found += self.rfile.read(size)
            self.rfile.readline()
            if not size:
                return found

    def send(self, code, found, headers=()):
        """Answer with an object."""
        raw = found if isinstance(found, bytes) else json.dumps(found).encode()
        self.send_response(code)
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            raw = gzip.compress(raw, 1)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(raw)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def date_time_string(self, timestamp=None):
        return formatdate(1795219200, usegmt=True)

    def _found(self, method, path, query, body):
        owner = self.server.owner
        if path == "/version":
            return 200, {"gitVersion": "v1.29.3"}
        if re.match(r"/apis/[^/]+/[^/]+$", path):
            names = [one.rsplit("/", 1)[1] for one in owner.objects if one.startswith(f"{path}/")]
            listed = [{"name": name} for name in [*names, "ippools/status"]]
            return (200, {"kind": "APIResourceList", "resources": listed}) if names else (404, b"404 page not found\n")
        match = _LIST.match(path)
        if match is None:
            return 404, status(404, "NotFound", "the server could not find the requested resource")
        root, namespace, plural, name = match.group("root", "ns", "plural", "name")
        group = root.split("/")[2] if root.startswith("/apis/") else ""
        verb = "create" if method == "POST" else "get" if name else "list"
        if owner.allowed is not None and not owner.allowed(verb, group, plural, namespace or "", name or ""):
            message = (
                f'{plural}.{group} is forbidden: User "u" cannot {verb} resource "{plural}" in API group "{group}"'
            )
            return 403, status(403, "Forbidden", message)
        if plural == "subjectaccessreviews":
            return 201, {**json.loads(body), "status": {"allowed": owner.readable}}
        if f"{root}/{plural}" not in owner.objects:
            return 404, status(404, "NotFound", "the server could not find the requested resource")
        found = [one for one in owner.objects[f"{root}/{plural}"] if self._selected(one, namespace, query)]
        if name:
            named = [one for one in found if isinstance(one, dict) and one["metadata"]["name"] == name]
            return (200, named[0]) if named else (404, status(404, "NotFound", f'{plural} "{name}" not found'))
        return self._page(found, query, plural)

    def _page(self, found, query, plural):
        owner = self.server.owner
        start, limit = int(query.get("continue", 0)), int(query.get("limit", 10_000))
        more = {"continue": str(start + limit)} if start + limit < len(found) else {}
        items = copy.deepcopy(found[start : start + limit])
        if plural == "pods" and "as=Table" in self.headers["Accept"] and owner.tables:
            names = ("Name", "Status", "IP", "Node")
            return 200, {
                "kind": "Table",
                "metadata": more,
                "columnDefinitions": [{"name": name} for name in names],
                "rows": [{"cells": self._cells(one), "object": None} for one in items],
            }
        return 200, {"kind": "List", "metadata": more, "items": items}

    @staticmethod
    def _cells(one):
        return [one["metadata"]["name"], one["status"]["phase"], one["status"]["podIP"], one["spec"]["nodeName"]]

    @staticmethod
    def _selected(one, namespace, query):
        if not isinstance(one, dict):
            return True
        if namespace and one["metadata"].get("namespace") != namespace:
            return False
        labels = one["metadata"].get("labels") or {}
        for term in re.split(r",(?![^(]*\))", query.get("labelSelector", "")):
            several = re.match(r"(\S+) in \((.*)\)", term)
            if several and labels.get(several.group(1)) not in several.group(2).split(","):
                return False
            if term and not several and labels.get(term.split("=")[0]) != term.split("=")[1]:
                return False
        fields = query.get("fieldSelector", "")
        if fields == "involvedObject.kind=Node":
            return one["involvedObject"]["kind"] == "Node"
        return not (fields.startswith("status.phase!=") and one["status"]["phase"] in ("Succeeded", "Failed"))


class UrlTransport:
    """A way to the API by the standard library, for Pythons without the kubernetes client."""

    via = "test"
    where = "the test"
    workers = 4
    patches = True

    def __init__(self, server):
        self.server = server

    def request(self, method, path, query, accept, body, seconds):
        url = f"{self.server}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(url, data, {"Accept": accept}, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(asked, timeout=seconds) as answer:  # noqa: S310
                return Answer(answer.status, answer.read(), answer.headers.get("Date", ""))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read(), "", error.headers.get("Retry-After", ""))
        except Exception as error:  # noqa: BLE001
            found = trouble.of_error(error)
            raise problems.of_connection(found or "reset", self.server, self.where) from None


@pytest.fixture
def api():
    server = ApiServer()
    yield server
    server.stop()


@pytest.fixture
def transport(api):
    return UrlTransport(api.url)


@pytest.fixture
def params():
    return dict(PARAMS)


@pytest.fixture
def canary():
    return CANARY


@pytest.fixture
def answer_with():
    """Make hooks that answer in a given way."""
    return Hooks


class Hooks:
    @staticmethod
    def code(code, reason="", message="said by the test", headers=(), until=10**9):
        def hook(handler, before):
            if before < until:
                handler.send(code, status(code, reason, message), headers)
            return before < until

        return hook

    @staticmethod
    def raw(raw, code=200, until=10**9):
        def hook(handler, before):
            if before < until:
                handler.send(code, raw)
            return before < until

        return hook

    @staticmethod
    def half(until=10**9):
        """Promises more than it sends."""

        def hook(handler, before):
            if before >= until:
                return False
            handler.send_response(200)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
            handler.wfile.write(b'{"kind":"List","items":[')
            handler.close_connection = True
            return True

        return hook

    @staticmethod
    def slow(seconds, piece=b""):
        """Sends nothing, or now and then a byte."""

        def hook(handler, before):
            handler.send_response(200)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
            until = time.monotonic() + seconds
            try:
                while time.monotonic() < until:
                    time.sleep(0.1)
                    if piece:
                        handler.wfile.write(piece)
                        handler.wfile.flush()
            except OSError:
                pass
            handler.close_connection = True
            return True

        return hook


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Makes certificates."""
    x509 = pytest.importorskip("cryptography.x509")
    return Authority(x509, tmp_path_factory.mktemp("ca"))


class Authority:
    def __init__(self, x509, folder):
        self._x509, self._folder = x509, folder
        self._key, self._certificate = self._make("ca", None, -1, 3650, ca=True)
        self.path = str(folder / "ca.crt")

    def _make(self, name, issuer, begins, ends, ca=False, address="127.0.0.1"):
        import datetime
        import ipaddress

        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        x509 = self._x509
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer[1].subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + datetime.timedelta(days=begins))
            .not_valid_after(now + datetime.timedelta(days=ends))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        signer = issuer[0] if issuer else key
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        if ca:
            usage = dict.fromkeys(
                ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
                False,
            )
            builder = builder.add_extension(
                x509.KeyUsage(key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False, **usage),
                True,
            )
        else:
            names = [x509.IPAddress(ipaddress.ip_address(address))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(signer, hashes.SHA256())
        encoding = serialization.Encoding.PEM
        (self._folder / f"{name}.crt").write_bytes(certificate.public_bytes(encoding))
        (self._folder / f"{name}.key").write_bytes(
            key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return key, certificate

    def issue(self, name, begins=-1, ends=30, address="127.0.0.1"):
        """Make a certificate; return the paths of it and its key."""
        self._make(name, (self._key, self._certificate), begins, ends, address=address)
        return str(self._folder / f"{name}.crt"), str(self._folder / f"{name}.key")

    def server(self, name="server", **when):
        """Make an ApiServer with a certificate of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(name, **when))
        return ApiServer(context)
