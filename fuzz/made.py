# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inputs to begin from that are put together here: of recorded parts, or in a form that no file is recorded in."""

from __future__ import annotations

import json
import struct
import zlib
from functools import partial
from typing import TYPE_CHECKING

from fuzz import peering_readers, readers
from fuzz.node_readers import MARK
from scripts.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

TESTS = ROOT / "tests" / "unit"
# Under which names the parts of a recorded node lie in a bundle.
_BIRD_TEXTS = {
    "status.raw": "birdcl-status.txt",
    "protocols.raw": "birdcl-protocols.txt",
    "config/bird.cfg": "bird.cfg",
}
_OTHER_TEXTS = {
    "_firewall/recorded/calico_nft.txt": "iptables-save.txt",
    "_firewall/recorded/calico.ipset": "ipset.txt",
    "_firewall/recorded/native_host_firewall.json": "nft-ruleset.json",
    "_clock/recorded/chrony-synchronised.txt": "chronyc-tracking.txt",
    "_host/recorded/mixed.tcp": "proc-net-tcp.txt",
    "_host/recorded/md5_listener.netstat": "netstat.txt",
    "_host/recorded/netlink/ip-addr.json": "ip-addr.txt",
    "_host/recorded/netlink/ip-route-get.json": "ip-route.txt",
    "_bird/recorded/logs/mixed.current": "bird.log",
}


def titled() -> Iterator[bytes]:
    """Whole nodes, each in one input: "==> name <==" begins each text."""
    plugins = TESTS / "plugins" / "module_utils"
    others = {name: plugins / path for path, name in _OTHER_TEXTS.items()}
    for folder in sorted((plugins / "_bird" / "recorded").iterdir()):
        paths = {name: folder / file for file, name in _BIRD_TEXTS.items()} | others
        texts = {name: path.read_text(encoding="utf-8") for name, path in paths.items() if path.is_file()}
        texts["raw-node.txt"] = _TOLD
        if "birdcl-status.txt" in texts:
            yield "".join(f"==> {name} <==\n{text.rstrip()}\n" for name, text in texts.items()).encode()
    first = next(iter(sorted((TESTS / "cases").glob("*/node-1.json"))), None)
    if first is not None:
        facts = json.dumps(json.loads(first.read_text(encoding="utf-8")))
        yield f"==> nodes/node-1/facts.json <==\n{facts}\n==> loose.txt <==\nBIRD 1.6.8\n".encode()


def script_outputs() -> Iterator[bytes]:
    """What the script for nodes without Python prints: each text between two marks, and the mark of the end."""
    for one in titled():
        parts = readers.titled(one.decode())
        told = {**parts, "files.txt": _FILES}
        yield (
            "".join(f"{MARK}>{name}\n{text}{MARK}<0\n" for name, text in told.items()).encode() + MARK.encode() + b".\n"
        )


def told_texts() -> Iterator[bytes]:
    """What the script tells besides the output of programs."""
    yield _TOLD.encode()
    yield _FILES.encode()


def messages() -> Iterator[bytes]:
    """Messages of the kernel as one datagram for each recorded table, with their headers."""
    host = TESTS / "plugins" / "module_utils" / "_host" / "recorded"
    for path in sorted((host / "netlink").glob("*.txt")) + sorted((host / "tcp_diag").glob("*.txt")):
        lines = [line.rpartition(" ") for line in path.read_text(encoding="utf-8").splitlines()]
        pairs = [(_number(kind), _bytes(digits)) for kind, _space, digits in lines]
        yield b"".join(message(kind, body) for kind, body in pairs if body)
    for pairs in json.loads((host / "host" / "netlink.json").read_text(encoding="utf-8")).values():
        yield b"".join(message(kind, _bytes(digits)) for kind, digits in _pairs(pairs))
    chain = (
        _attribute(1, b"filter\0") + _attribute(3, b"INPUT\0") + _attribute(5, b"\0\0\0\1") + _attribute(7, b"filter\0")
    )
    hook = _attribute(1, b"\0\0\0\1") + _attribute(2, b"\xff\xff\xff\x9c")
    rule = _attribute(1, b"filter\0") + _attribute(2, b"INPUT\0") + _attribute(4, _attribute(1, b"lookup\0"))
    several = _attribute(1, b"\0\0\0\0") + _attribute(4, _attribute(1, b"eth0\0") + _attribute(1, b"eth1\0"))
    yield message(_NEW_CHAIN, b"\5\0\0\0" + chain + _attribute(4, several))
    yield message(_NEW_CHAIN, b"\2\0\0\0" + chain + _attribute(4, hook)) + message(_NEW_RULE, b"\2\0\0\0" + rule)


def message(kind: int, body: bytes) -> bytes:
    """A message of netlink's with its header."""
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 1, 0) + body + b"\0" * (-len(body) % 4)


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def _pairs(value: object) -> Iterator[tuple[int, str]]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, list) and len(item) == 2 and isinstance(item[0], int) and isinstance(item[1], str):
            yield item[0], item[1]


def _number(word: str) -> int:
    """The kind of a message that a word tells; what it does not tell is one of a dump of sockets or routes."""
    return int(word) if word.isdecimal() and len(word) < 5 else _SOCK_DIAG


def _bytes(digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return b""


def ntpd_answers() -> Iterator[bytes]:
    """Packets of ntpd's, each after its length."""
    path = TESTS / "plugins" / "module_utils" / "_clock" / "recorded" / "ntp-control.json"
    packets = [_bytes(digits) for digits in json.loads(path.read_text(encoding="utf-8"))["answers"]]
    yield b"".join(struct.pack(">H", len(packet)) + packet for packet in packets)


_SOCK_DIAG, _NEW_CHAIN, _NEW_RULE = 20, 0xA03, 0xA06


def wireguard_messages() -> Iterator[bytes]:
    """A device with a peer that has an endpoint of IPv4, and one of IPv6."""
    four = struct.pack("=H", 2) + struct.pack("!H", 51820) + bytes((10, 200, 0, 10)) + b"\0" * 8
    six = struct.pack("=H", 10) + struct.pack("!HI", 51821, 0) + b"\xfd" + b"\0" * 14 + b"\1" + b"\0" * 4
    peers = b"".join(_attribute(0x8000, _attribute(4, one)) for one in (four, six))
    yield message(_SOCK_DIAG, b"\0\1\0\0" + _attribute(8 | 0x8000, peers))


def flannel_texts() -> Iterator[bytes]:
    """flannel's subnet.env and a line of its log."""
    yield (
        b"FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n"
        b"E1121 00:00:00.000000       1 main.go:332] Error registering network: failed to acquire lease: not found\n"
    )


def methods() -> Iterator[bytes]:
    """What IP_AUTODETECTION_METHOD may say."""
    for method in (
        "interface=eth.*,^docker0$",
        "skip-interface=docker.*",
        "cidr=10.200.0.0/24,fd00::/8",
        "can-reach=8.8.8.8",
    ):
        yield method.encode()


def kernel_configurations() -> Iterator[bytes]:
    """A kernel's configuration as it lies under /proc."""
    yield zlib.compress(b"\nCONFIG_VXLAN=m\nCONFIG_IP_SET=y\n", wbits=31)


def chronyd_answers() -> Iterator[bytes]:
    """Packets of chronyd's."""
    path = TESTS / "plugins" / "module_utils" / "_clock" / "recorded" / "chrony-port.json"
    yield from map(_bytes, json.loads(path.read_text(encoding="utf-8"))["answers"])


def log_lines() -> Iterator[bytes]:
    """Lines as runtimes and others wrap them: Docker's JSON, a journal's, logfmt."""
    yield (
        b'{"log":"bird: Started\\n","stream":"stderr","time":"2026-11-21T00:00:00.5Z"}\n'
        b'time="2026-11-21T00:00:00Z" level=warning msg="it \\"is\\" so" error="no route"\n'
        b'{"level":"error","ts":"2026-11-21T00:00:00Z","msg":"cannot"}\n'
        b'Nov 21 00:00:00 node-1 kubelet[12]: E1121 00:00:00.000000      12 a.go:7] "Probe failed" err="x"\n'
    )


def firewalld_folders() -> Iterator[bytes]:
    """firewalld's files, in its own form."""
    parts = {
        "etc/firewalld/firewalld.conf": "DefaultZone=public\n",
        "etc/firewalld/zones/public.xml": _ZONE,
        "etc/firewalld/policies/ours.xml": (
            '<?xml version="1.0" encoding="utf-8"?>\n<policy target="CONTINUE" priority="-15000">\n'
            '  <ingress-zone name="ANY"/>\n  <egress-zone name="HOST"/>\n  <service name="bgp"/>\n</policy>\n'
        ),
        "usr/lib/firewalld/services/bgp.xml": (
            '<service>\n  <port protocol="tcp" port="179"/>\n  <include service="ssh"/>\n'
            '  <destination ipv4="10.200.0.0/24"/>\n</service>\n'
        ),
    }
    yield "".join(f"==> {path} <==\n{text}" for path, text in parts.items()).encode()


_SMALL = {
    "boot_script": b"#!/bin/sh\n# iptables is not called here\n/sbin/iptables -I INPUT -p tcp --dport 179 -j DROP\n",
    "distribution": (
        b'node-ip: "10.200.0.9" # ours\nnode-name: node-1\nkubelet-arg:\n  - hostname-override=n\n'
        b"kubelet-arg+: [node-ip=10.0.0.1, 'a']\n"
    ),
    "first_moment": b"E1121 00:00:00.000000       1 main.go:332] no\n",
    "health": (
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 10\r\n\r\n"
        b"+-----------+---------+-----------+-----------+--------+\n"
        b"| COMPONENT | TIMEOUT | LIVENESS  | READINESS | DETAIL |\n"
        b"| felix-a   | -       | reporting live | reporting non-ready | waits |\n"
    ),
    "openntpd": b"4/8 peers valid, clock synced, stratum 3\n",
    "runtime_folder": b'[plugins."io.containerd.grpc.v1.cri".cni]\n  conf_dir = "/etc/cni/net.d"\n',
    "cluster_fact": (
        b'{"reached": true, "objects": {"nodes": [{"metadata": {"name": "n", "creationTimestamp": "2026-01-01"'
        b', "annotations": {"projectcalico.org/ASNumber": "1.10", "projectcalico.org/IPv4Address": "10.0.0.1/24"}}}],'
        b' "bgppeers": [{"metadata": {"name": "p"}, "spec": {"peerIP": "[fd00::1]:1790", "asNumber": "1.1"}}],'
        b' "ippools": [{"metadata": {"name": "p"}, "spec": {"cidr": "10.0.0.0/16", "ipipMode": "Always"}}],'
        b' "daemonsets": [{"metadata": {"name": "calico-node"}, "spec": {"template": {"spec": {"containers": [{"name":'
        b' "calico-node", "image": "calico/node:v3.29.1", "env": [{"name": "IP", "value": "autodetect"}]}]}}}}]}}'
    ),
    "api_answers": (
        b'{"kind": "List", "metadata": {"continue": ""}, "items": [{"metadata": {"name": "calico-node", "labels": {'
        b'"k8s-app": "calico-node"}, "managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {"f:a": {}}}}],'
        b' "namespace": "n"}, "spec": {"renewTime": "2026-11-21T00:00:00Z", "selector": {"matchLabels": {"a": "b"}},'
        b' "template": {"spec": {"containers": [{"name": "c", "image": "calico/node:v3", "args": ["--token", "x"],'
        b' "env": [{"name": "IP", "value": "autodetect"}, {"name": "FELIX_TYPHAK8SSERVICENAME", "value": "t"}]}]}}},'
        b' "status": {"conditions": [{"type": "Ready", "status": "True"}]}, "data": {"cni_network_config": "{}"},'
        b' "webhooks": [{"name": "w", "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"],'
        b' "operations": ["*"]}], "clientConfig": {"url": "https://u:p@h/x"}}]}]}'
    ),
    "api_packed": b'{"like": {"a": {"b": 1}, "l": [{"x": 1}]}, "items": [{"a": {"b": null}}, {"l": [{"x": 2}]}]}',
    "api_complaints": (
        b"Unable to connect to the server: x509: certificate has expired or is not yet valid: A is before B\n"
        b"Error from server (Forbidden): nodes is forbidden\neyJhIjoxfQ.eyJleHAiOiAxfQ.c https://u:p@h password=x\n"
    ),
    "cluster_value": b"[fd00::1]:1790",
    "cluster_yaml": b"  metadata: {name: p}\n  spec: {peerIP: 10.0.0.1, asNumber: 1.10}\n",
    "server_address": b"clusters:\n- cluster:\n    server: https://10.200.0.9:6443\n",
    "strain": (
        b"0-3,6\n12:cpu,cpuacct:/kubepods/a\n0::/kubepods.slice/b.scope\nnr_throttled 5\noom_kill 1\n"
        b"  eth0: 100 200 0 7 0 0 0 0 300 400 0 8 0 0 0 0\n"
    ),
    "texts_calicoctl_nodes": b"NAME     ASN       IPV4            IPV6\nnode-1   (64512)   10.200.0.9/24   <nil>\n",
}
MADE: dict[str, Callable[[], Iterable[bytes]]] = {
    **{name: partial(tuple, (text,)) for name, text in _SMALL.items()},
    "address_method": methods,
    "address_pattern": lambda: iter((b"eth.*", b"(?i)^(?:en|eth)[0-9]{1,3}$", b"[[:alpha:]]+\\d*\\Q.\\E")),
    "chronyd_answer": chronyd_answers,
    "firewalld_folder": firewalld_folders,
    "firewalld_rich_rule": lambda: iter(
        (b'rule family="ipv4" source address="10.0.0.0/8" port port="179" protocol="tcp" accept',)
    ),
    "firewalld_zone": lambda: iter((_ZONE.encode(),)),
    "flannel": flannel_texts,
    "wireguard_peers": wireguard_messages,
    "hosts_file": lambda: iter((b"127.0.0.1 localhost\n10.200.0.9\tnode-1.example node-1 # ours\n",)),
    "ini_exclusion": lambda: iter((b"interface-name:cali*;mac:02:00:00:00:00:01,except:type:ethernet;*,except:eth0",)),
    "nft_script": lambda: iter(
        (b'include "/etc/nftables.d/*.nft"\ntable inet a { }\ndelete table inet a\nflush ruleset\n',)
    ),
    "texts_log": log_lines,
    "kernel_configuration": kernel_configurations,
    "probe_answer": lambda: iter((struct.pack("!HHIIBB", 179, 40000, 1, 2, 80, 18) + b"\0" * 6,)),
    "texts_of_a_node": titled,
    "bundle": titled,
    "script_output": script_outputs,
    "told": told_texts,
    "netlink": messages,
    "kernel": messages,
    "kernel_sockets": messages,
    "kernel_chains": messages,
    "ntpd_answer": ntpd_answers,
    "selector": peering_readers.selectors,
    "peering": peering_readers.clusters,
}
_ZONE = """<?xml version="1.0" encoding="utf-8"?>
<zone target="DROP">
  <short>Public</short>
  <interface name="eth0"/>
  <source address="10.200.0.0/24"/>
  <service name="ssh"/>
  <port protocol="tcp" port="179-180"/>
  <rule family="ipv4" priority="-5">
    <source address="10.0.0.0/8" invert="True"/>
    <port port="179" protocol="tcp"/>
    <log prefix="&quot;a&quot;"/>
    <reject type="tcp-reset"/>
  </rule>
</zone>
"""
_TOLD = """# netmedic.calico raw-node 1
root\tyes
hostname\tnode-1
uptime\t100.5
began\t1800000000
ended\t1800000001
process\t12\t1\tS\t5000\tnet:[1]\t\t1\tbird\tbird\tbird\t-R\t-s\t/var/run/calico/bird.ctl
environ\t12\tFELIX_A=1
holder\t77\t12\tbird\t
legacy\tiptables\tfilter nat
peers\t10.200.0.10
ping\t10.200.0.10\tanswered
status\tnft-ruleset.json\t1
"""
_FILES = """# netmedic.calico files 1
=/etc/cni/net.d/10-calico.conflist\t1800000000
|{
| "plugins": [{"type": "calico"}]
|}
:/etc/ufw/ufw.conf:ENABLED=yes
!/etc/large
@/etc/systemd/system/a.service\t/dev/null
*/etc/cni/net.d/calico-kubeconfig\t1799990000\t1800080000
.
"""
