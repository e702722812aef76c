# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How what comes from other people's collections is read: archives, long logs, pastes, and texts that are corrected."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from typing import Any

_PROMPT = "root@node-1:~# cat calico-node.log\n"
_OBJECTS = """apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: calico-node
spec:
  a: {b: 1, c: 2}
  d: 1
  containers:
  - name: calico-node
    env:
    - name: A
      value: x
    - name: B
      value: y
  others: [{name: A, value: x}, {name: B, value: y}]
"""
_RULES = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\n"
_PODS = "NAME READY STATUS RESTARTS AGE IP NODE\nweb-1 1/1 Running 0 5d 10.244.1.5 node-1\n"
_NFT = "table inet filter {\n\tchain input {\n\t\ttcp dport 22 accept\n"
_MANIFEST = """apiVersion: apps/v1
kind: DaemonSet
metadata: {name: calico-node, namespace: kube-system}
spec:
  template:
    spec:
      containers:
      - name: calico-node
        image: quay.io/calico/node:v3.31.2
        env:
        - {name: IP_AUTODETECTION_METHOD, value: "interface=eth0,VALUE"}
        - {name: IP6_AUTODETECTION_METHOD, value: "cidr=VALUE"}
---
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: {name: one}
spec: {peerIP: "VALUE", asNumber: "VALUE", nodeSelector: "VALUE", password: {secretKeyRef: {name: bgp, key: one}}}
---
apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {name: one}
spec: {cidr: "VALUE"}
---
apiVersion: v1
kind: Secret
metadata: {name: bgp, namespace: kube-system}
stringData: {one: "VALUE"}
"""


def archive(data: bytes) -> Any:
    """Read bytes as an archive, as a compressed text, and as a file in each kind of archive."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import files

    found = []
    for content in (data, gzip.compress(data, 1, mtime=0), _tar(data), _zip(data), _zip(data)[:-30]):
        taken = files._Collector()
        taken.take("x.log", lambda content=content: io.BytesIO(content), 0)  # type: ignore[misc]
        read = taken.files()
        found.append((sorted(read.texts), [sum(map(len, read.texts.values()))], read.refused))
    return found


def _tar(data: bytes) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as made:
        member = tarfile.TarInfo("nodes/a/x.txt")
        member.size = len(data)
        made.addfile(member, io.BytesIO(data))
    return raw.getvalue()


def _zip(data: bytes) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as made:
        made.writestr("nodes/a/x.txt", data)
    return raw.getvalue()


def digest(data: bytes) -> Any:
    """Read bytes as a long log."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle.digest import Digest

    one = Digest(4096)
    for piece in (b"[ERROR] x\n" * 500, data, b"news\n" * 2000):
        one.feed(piece)
    return len(one.content())


def loose(data: bytes) -> Any:
    """Read a text as it may lie in a bundle: in a node's folder, twice, as a paste, in none."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import decode, pasted, read, undone_rules
    from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import stand_ins

    text = decode.decoded(data)
    logged = stand_ins._logged(f"{_PROMPT}Unable to auto-detect an IPv4 address\n{text}")
    paths = ("nodes/a/calico-node.log", "nodes/a/old/calico-node.previous.log", "b/x.txt", "calico-node-x2b4z-cni.log")
    texts = {path: text + "." * number for number, path in enumerate(paths)}
    prose = f"```\nuptime\n```\n{text}"
    shown = pasted.Part("", "iptables -S", "", "-P INPUT ACCEPT\n-A INPUT -p tcp -j DROP\n-A INPUT " + text)
    deleted = pasted.Part("", f"iptables -D INPUT {text}", "", "")
    left = undone_rules.applied([shown, deleted])[0].text
    found = read.sort({**texts, "paste.txt": _PROMPT + text, "chat.txt": prose, "cluster/nodes.txt": text})
    told = sorted(found.nodes), found.unrecognised, list(found.remarks)
    return told, logged, left, pasted.without_prompt(_PROMPT + text)


def corrections(data: bytes) -> Any:
    """Read a text as a command, as a merge patch, and as an object and rules that are corrected."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import read
    from ansible_collections.netmedic.calico.plugins.plugin_utils._patch import make, objects, rules, typed
    from ansible_collections.netmedic.calico.plugins.plugin_utils._patch.model import ObjectChange, RuleChange

    text = data.decode("utf-8", "replace")
    lines = [
        text,
        f"kubectl patch ippools p --type merge -p '{text}'",
        f"ssh n1 sudo iptables {text}",
        f"ssh n1 {text}",
    ]
    found: list[Any] = [len(typed.changes(lines))]
    env = [{"name": "A", "value": None}, {"name": "C", "value": "z"}]
    spec = {
        "d": None,
        "a": {"b": None, "c": 3},
        "e": {"f": 1},
        "containers": [{"name": "calico-node", "env": env}],
        "others": env,
    }
    made = objects.edited(_OBJECTS + text, ObjectChange("daemonset", "calico-node", "", {"spec": spec}))
    found.append(len(make.difference("x", _OBJECTS + text, made or "")))
    pool = ObjectChange("ippools", "p", "", {"spec": {"ipipMode": "Always"}})
    found.append(objects.holds(text, pool, "ippools"))
    found.append(objects.line(text, pool, f"spec.{text[:40]}", "ippools"))
    bundle = read.sort({"cluster/ippools.yaml": text, "cluster/daemonsets.yaml": _OBJECTS})
    report = {"findings": [{"role": "cause", "fault": "x", "fix": {"commands": lines}}]}
    found.append(len(make.patches(report, bundle)))
    for program, rule_text in (("iptables", _RULES), ("nft", _NFT)):
        table = "inet filter" if program == "nft" else "filter"
        for remove in (False, True):
            change = RuleChange("n", program, "", table, "input" if program == "nft" else "INPUT", "-j DROP", remove)
            texts = (rule_text + ending for ending in ("COMMIT\n", text + "COMMIT\n"))
            found += [len(rules.edited(one, change) or "") for one in texts]
    return found


def tried_by_hand(data: bytes) -> Any:
    """Read a text as somebody's attempts: typed on a node, in a pod, and beside a table of pods."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, read, typed_in
    from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import tried

    text = data.decode("utf-8", "replace")
    command = text.partition("\n")[0]
    words = (typed_in.pod(command), typed_in.opens_shell(command), typed_in.debugged_node(command))
    prompts = ("root@node-1:~# ping -c 1 node-2\n", "$ kubectl exec web-1 -- nc -zv 10.0.0.1 179\n", "")
    texts = {f"{number}.txt": prompt + text for number, prompt in enumerate(prompts)}
    bundle = read.sort({**texts, "pods.txt": _PODS})
    found, _now = evidence.evidence(bundle)
    shown = [[one.check, one.source, one.target, one.result, one.port, one.size] for one in found.observations]
    return words, tried.reason(command), tried.end(command), tried.port(command), shown


def manifests(data: bytes) -> Any:
    """Lint a text as manifests, and objects in which it is a value."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._lint import engine
    from ansible_collections.netmedic.calico.plugins.plugin_utils._lint import manifests as reading

    text = data.decode("utf-8", "replace")
    value = "".join(sign for sign in text[:400] if sign.isalnum() or sign in " .:/=,^'()[]{}!&|%-_")
    loaded = reading.read(text, "fuzzed.yaml")
    around = reading.read(_MANIFEST.replace("VALUE", value), "around.yaml")
    engine.lint(around.documents)
    return [one.as_dict() for one in (*loaded.findings, *engine.lint(loaded.documents))]
