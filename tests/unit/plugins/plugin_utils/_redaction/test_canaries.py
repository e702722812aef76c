# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canaries: nothing secret and nothing that names somebody's network is in what comes out, in whatever form it was."""

from __future__ import annotations

import base64
import json

import pytest
import yaml

from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.redactor import Redactor

PASSWORD = "Tr0ub4dor&3-canary"
JWT = "eyJhbGciOiJSUzI1NiIsImtpZCI6IkNBTkFSWSJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEAcanary0123456789\nABcanary==\n-----END RSA PRIVATE KEY-----"
CERTIFICATE = PEM.replace("RSA PRIVATE KEY", "CERTIFICATE")
WIREGUARD = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="
TEXTS = {
    "nodes/prod-db-07.acme-corp.com/calico-node.log": f"""\
Nov 21 10:00:00 prod-db-07 calico-node[12]: hello from 10.20.30.40
2026-11-21 10:00:01.123 [INFO][9] startup.go 390: Using NODENAME environment for node name prod-db-07.acme-corp.com
2026-11-21 10:00:02.123 [WARNING][9] x.go 1: Authorization: Bearer {JWT}
bird: Mesh_10_20_30_41: Error: Hold timer expired; Node_10_20_30_42: Received: Cease
tuned to https://admin:{PASSWORD}@vault.acme-corp.com:8200/v1?token={PASSWORD}
written "\\n10.20.30.43\\tfd12:3456:789a::15 peer"; ops@acme-corp.com; ip-10-20-30-44.ec2.internal i-0123456789abcdef0
wireguard {WIREGUARD} kubeadm join --token abcdef.0123456789abcdef
base64 {base64.b64encode(b"user:" + PASSWORD.encode()).decode()} again {PASSWORD.encode().hex()}
""",
    "nodes/prod-db-07.acme-corp.com/bird.cfg": (
        f'protocol bgp Mesh_10_20_30_41 {{\n  neighbor 10.20.30.41 as 64512;\n  password "{PASSWORD}";\n}}\n'
    ),
    "nodes/prod-db-07.acme-corp.com/ip-addr.txt": """\
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq state UP group default qlen 1000
    link/ether 52:54:00:12:34:56 brd ff:ff:ff:ff:ff:ff
    inet 10.20.30.40/20 brd 10.20.31.255 scope global eth0
    inet6 fe80::5054:ff:fe12:3456/64 scope link
""",
    "nodes/prod-db-07.acme-corp.com/proc-net-tcp.txt": "   0: 281E140A:00B3 291E140A:9C40 01 00000000:00000000\n",
    "cluster/secret.yaml": yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": "bgp-secrets",
                "namespace": "kube-system",
                "uid": "11111111-2222-4333-8444-555555555555",
            },
            "data": {"rr-password": base64.b64encode(PASSWORD.encode()).decode()},
            "stringData": {"plain": "another-Canary-99"},
        }
    ),
    "cluster/nodes.json": json.dumps(
        {
            "apiVersion": "v1",
            "kind": "List",
            "items": [
                {
                    "apiVersion": "v1",
                    "kind": "Node",
                    "metadata": {"name": "prod-db-07.acme-corp.com", "labels": {"acme-corp.com/rack": "r1"}},
                    "spec": {"providerID": "aws:///eu-west-1a/i-0123456789abcdef0", "podCIDR": "10.244.7.0/24"},
                    "status": {
                        "addresses": [{"type": "InternalIP", "address": "10.20.30.40"}],
                        "nodeInfo": {"machineID": "0123456789abcdef0123456789abcdef"},
                        "images": [{"names": ["registry.acme-corp.com:5000/calico/node:v3.28.1"]}],
                    },
                }
            ],
        }
    ),
    "cluster/kubeconfig.yaml": yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"cluster": {"certificate-authority-data": base64.b64encode(CERTIFICATE.encode()).decode()}}],
            "users": [{"user": {"token": JWT, "client-key-data": base64.b64encode(PEM.encode()).decode()}}],
            "pem": PEM,
        }
    ),
    "environment.yml": (
        "provider: aws\nnodes_expected: [prod-db-07.acme-corp.com, prod-db-08]\n"
        "role: arn:aws:iam::123456789012:role/canary\n"
    ),
}
GONE = (
    *(PASSWORD, JWT, "MIIEpAIBAAKCAQEA", "another-Canary-99", "abcdef.0123456789abcdef", WIREGUARD, "0123456789abcdef"),
    *(
        "prod-db-07",
        "prod-db-08",
        "acme-corp",
        "10.20.30.",
        "10_20_30",
        "10-20-30",
        "fd12:3456",
        "52:54:00:12",
        "ff:fe12:3456",
    ),
    *("281E140A", "291E140A", "11111111-2222", "123456789012", "ops@", "10.20.31.255", "canary"),
    *(base64.b64encode(PASSWORD.encode()).decode().rstrip("="), PASSWORD.encode().hex()),
)


@pytest.fixture(scope="module")
def made():
    return Redactor("a key of ours").texts(TEXTS)


def test_nothing_leaks(made):
    assert made.leaks == []


@pytest.mark.parametrize("canary", GONE)
def test_canaries_are_gone(made, canary):
    everything = "\n".join((*made.texts, *made.texts.values()))
    assert canary not in everything
    assert "a key of ours" not in everything


def test_what_is_no_secret_stays(made):
    log = next(text for path, text in made.texts.items() if path.endswith(".log"))
    assert "Error: Hold timer expired" in log
    assert "startup.go 390: Using NODENAME environment for node name" in log
    assert ".ec2.internal" in log
    nodes = json.loads(made.texts["cluster/nodes.json"])["items"][0]
    assert nodes["spec"]["providerID"].startswith("aws:///eu-west-1a/i-")
    assert nodes["status"]["images"][0]["names"][0].endswith("calico/node:v3.28.1")


def test_one_thing_is_one_thing_everywhere(made):
    node = next(path for path in made.texts if path.endswith(".log")).split("/")[1]
    item = json.loads(made.texts["cluster/nodes.json"])["items"][0]
    assert item["metadata"]["name"] == node
    short = node.partition(".")[0]
    log = made.texts[f"nodes/{node}/calico-node.log"]
    assert log.startswith(
        f"Nov 21 10:00:00 {short} calico-node[12]: hello from {item['status']['addresses'][0]['address']}"
    )
    assert yaml.safe_load(made.texts["environment.yml"])["nodes_expected"][0] == node
    peer = made.texts[f"nodes/{node}/bird.cfg"].split("neighbor ")[1].split()[0]
    assert f"Mesh_{peer.replace('.', '_')}" in log


def test_a_subnet_stays_one(made):
    text = next(text for path, text in made.texts.items() if path.endswith("ip-addr.txt"))
    import ipaddress

    interface = ipaddress.ip_interface(text.split("inet ")[1].split()[0])
    assert text.split("brd ")[2].split()[0] == str(interface.network.broadcast_address)


def test_every_file_can_still_be_parsed(made):
    for path, text in made.texts.items():
        if path.endswith(".json"):
            json.loads(text)
        elif path.endswith((".yaml", ".yml")):
            assert yaml.safe_load(text)


def test_two_runs_with_one_key_agree_and_others_do_not(made):
    assert Redactor("a key of ours").texts(TEXTS).texts == made.texts
    assert Redactor("another").texts(TEXTS).texts.keys() != made.texts.keys()
