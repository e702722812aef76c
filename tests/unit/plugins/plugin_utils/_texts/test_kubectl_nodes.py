# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import kubectl_nodes

TABLE = "NAME     STATUS   ROLES    AGE   VERSION\nnode-1   Ready    master   10d   v1.28.0\n"


@pytest.mark.parametrize("line", ["exit", "logout", "^C", "...", "Thanks", "--", "Viele Grüße\nHans", "以上です。"])
def test_what_follows_a_table_is_no_node(line):
    assert [node.name for node in kubectl_nodes.parse(f"{TABLE}{line}\n").value] == ["node-1"]


@pytest.mark.parametrize("status", ["NotReady", "Unknown", "Ready,SchedulingDisabled", "NotReady,SchedulingDisabled"])
def test_every_status_of_kubectl_is_one(status):
    row = f"node-2   {status}    <none>   10d   v1.28.0\n"
    assert [node.status for node in kubectl_nodes.parse(TABLE + row).value] == ["Ready", status]
