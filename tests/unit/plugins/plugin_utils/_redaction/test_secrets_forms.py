# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets as routers, daemons, shells, HTTP and YAML write them; and what looks like one and stays."""

from __future__ import annotations

import json

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.redactor import Redactor


def redacted(text, path="x.txt"):
    made = Redactor("k").texts({path: text})
    return made.texts[path]


@pytest.mark.parametrize(
    "text",
    [
        'protocol bgp a {\n  password "$Zq7x-Secret99";\n}\n',
        "password: /Zq7xAbc123+=\n",
        "BGP_PASSWORD=~Zq7xAbc123\n",
        "ETCD_PASSWORD: $Zq7xAbc123\n",
        "password: mein Zq7x geheim 99\n",
        "        - name: RR_PASSWORD\n          value: Zq7xAbc123\n",
        "env: {name: MY_PWD, value: Zq7xAbc123\n",
        " neighbor 192.0.2.1 password Zq7xAbc123\n",
        " neighbor 192.0.2.1 password 7 08Zq7x0A16\n",
        'authentication-key "$9$Zq7xabcdEF"; ## SECRET-DATA\n',
        "$ curl -u admin:Zq7xAbc123 https://192.0.2.1:6443/\n",
        "$ sshpass -p Zq7xAbc123 ssh root@192.0.2.1\n",
        "$ etcdctl --user root:Zq7xAbc123 get /calico\n",
        "password: |\n    Zq7xAbc123\n    Zq7xDef456\n",
        "password:\nZq7xAbc123\n",
        "data:\n  rr: Zq7xeEFiYzEyMw==\nkind: Secret\nmetadata: {\n",
        "Authorization: Digest Zq7xAbc123def\n",
        "Cookie: session=Zq7xAbc123def; other=Zq7x\n",
        "Set-Cookie: a=Zq7xAbc123def\n",
        "    auth_pass Zq7xAbc\n",
        "snmp-server community Zq7xAbc RO\n",
        "https://192.0.2.1/c?sv=2020&sig=Zq7xAbc%2Bdef123&se=2024\n",
        "https://192.0.2.1/c?X-Amz-Signature=Zq7xAbc123\n",
        "root:$6$Zq7xsalt$hashhashZq7x/abc:19000:0:99999:7:::\n",
        '-A INPUT -s 192.0.2.1/32 -m comment --comment "pw Zq7xAbc123 for it" -j DROP\n',
        "probe failed: token=Zq7xAbc123\n",
        '{"tokens": {"Zq7xAbc123token-value-9": "admin"}}',
        json.dumps({"env": [{"name": "FELIX_ETCDPASS", "value": "Zq7xAbc123"}, {"name": "MY_PWD", "value": "Zq7x/1"}]}),
    ],
)
def test_it_is_cut(text):
    assert "Zq7x" not in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "ETCD_KEY_FILE=/calico-secrets/etcd-key\n",
        "--tls-private-key-file=/etc/kubernetes/pki/apiserver.key\n",
        "ETCD_PASSWORD=${PASSWORD}\n",
        "password: $(SECRET_OF_BGP)\n",
        'protocol bgp a {\n  password "cut";\n  passive on;\n}\n',
        "passive: yes\n",
        "BYPASS=all-of-it\n",
        "secretName: bgp-secrets\n",
        "PWD=/root\n",
        "net.ipv4.tcp_syncookies = 1\n",
    ],
)
def test_it_stays(text):
    assert redacted(text) == text
