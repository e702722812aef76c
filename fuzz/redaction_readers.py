# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redaction of whatever a bundle may hold: beside a text with a little of all that it knows."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.netmedic.calico.plugins.plugin_utils._peering import real_addresses
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction import blocks, scan, schemes, share
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.redactor import Redactor

_KNOWN = """\
NAME                   STATUS   ROLES    AGE   VERSION
prod-db-07.acme.corp   Ready    <none>   10d   v1.28.1
Nov 21 10:00:00 prod-db-07 kubelet[12]: Mesh_10_20_30_41: to 10.20.30.42:179, 10.20.30.43-10.20.30.50 and 10.244/16
token: abc123def456 password=Tr0ub4dor3x https://admin:Tr0ub4dor3x@vault.acme.corp/ fd12:3456::15
written by ops@acme.corp
arn:aws:iam::123456789012:role/x openstack:///0123-4567 52:54:00:12:34:56 525400123456 41.30.20.10.in-addr.arpa
0: 281E140A:00B3 0A141E28 etcd-prod-db-07 10.20.0.0/255.255.240.0 VHIwdWI0ZG9yM3ggYWdhaW4gYW5kIGFnYWlu
yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=

prodDb07 prod_db_07 prod-db-12 169090602 010.020.030.042 0x0a.0x14.0x1e.0x2a 10[.]20[.]30[.]42 q=10%2E20%2E30%2E42
if10.20.30.42x veth_10.20.30.42_0 enx525400123456 x525400123456 5254.0012.3456 52:54:0:12:34:56
00:01:52:54:00:12:34:56 fd12-3456--15.ipv6-literal.net berlinDb7 host=berlin-db-7 berlin-db-8
5.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.5.4.3.2.1.d.f.ip6.arpa
0x0000:  4500 003c 1c46 4000 4006 0000 0a14 1e2a
user,password,host
admin,Tr0ub4dor5z,h1
USER    PASSWORD
admin   Tr0ub4dor6z

maxm@prod-db-07:/home/maxm$ ls
password:[84 114 48 117 98 52 100 111 114 57 120] &#46; 10.20.30.x
00000000  70 72 6f 64 2d 64 62 2d  30 37 00 00 00 00 00 00  |prod-db-07......|
> kind: Secret
> data:
>   foo: VHIwdWI0ZG9yOHo=
MIIEpAIBAAKCAQEA7v0Zq3
-----END RSA PRIVATE KEY-----

$ etcdctl get /registry/secrets/a/b
Tr0ub4dor7z
$ ls

ip-10-20-30-40.ec2.internal SGVsbG8tMTIzNDU2Nzg5MC1hYmNkZWZnaGlqa2xtbm9wUVJTVA
"""
_OBJECT = {"token": "abc123def456", "mtu": {"10.20.30": "1-3"}, "nested": '{"node": "prod-db-07"}'}


def redacted(data: bytes) -> Any:
    """A text as a node's and as an earlier record, and the same as an object, if it is one."""
    text = data.decode("utf-8", "replace")
    redactor = Redactor("fuzz")
    record = json.dumps({"schema": real_addresses.SCHEMA, "order_of_addresses": {"ipv4": ["10.20.30.41"]}})
    texts = {
        "nodes/prod-db-07/given.txt": text,
        "nodes/prod-db-07/known.log": _KNOWN,
        "facts.json": json.dumps(_OBJECT),
        real_addresses.FILE: text if text[:1] == "{" else record,
    }
    made = redactor.texts(texts).texts
    pieces = list(blocks.of(f"{_KNOWN}{text}\n-----BEGIN X\n{_KNOWN}", 200))
    names = {"prod-db-07"}
    originals = scan.Originals(names, set(), set(), set(), set(), schemes.Schemes(names))
    leaks = list(scan.leaks({"a.txt": f"{text}\nprod-db-07 prodDb07"}, originals))
    real_addresses.read(made[real_addresses.FILE])
    redactor.name("prod-db-07")
    redactor.path("prod-db-07")
    return [len(made), len(pieces), len(leaks), share.report_in(text) is not None]
