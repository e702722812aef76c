# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redaction of whatever a bundle may hold: beside a text with a little of all that it knows."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.netmedic.calico.plugins.plugin_utils._peering import real_addresses
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction import share
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
    real_addresses.read(made[real_addresses.FILE])
    redactor.name("prod-db-07")
    redactor.path("prod-db-07")
    return [len(made), share.report_in(text) is not None]
