# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import columns

PODS = (
    "NAME                READY   STATUS    RESTARTS      AGE   IP         NODE     NOMINATED NODE   READINESS GATES\n"
    "calico-node-abcde   0/1     Running   5 (2d ago)    10d   10.0.0.1   node-1   <none>           <none>\n"
)
LOG = "2026-11-21 10:00:00.123 [ERROR][9] startup/startup.go 158: Unable to auto-detect an IPv4 address: none found\n"


def names(text, *wanted):
    return [row.cells["NAME"] for row in columns.rows(text, frozenset(wanted or ("NAME",))) if row.cells]


@pytest.mark.parametrize("between", ["", "root@master:~# kubectl logs -n kube-system calico-node-abcde\n", "```\n"])
def test_a_line_of_more_words_is_no_row(between):
    assert names(PODS + between + LOG) == ["calico-node-abcde"]


def test_what_follows_another_command_is_in_no_table():
    assert names(PODS + "root@master:~# ls\n" + PODS.splitlines()[1] + "\n") == ["calico-node-abcde"]


def test_a_message_has_words():
    head = "LAST SEEN   TYPE      REASON      OBJECT      MESSAGE\n"
    (row,) = columns.rows(head + "5m Warning Unhealthy pod/x Readiness probe failed\n", frozenset(("MESSAGE",)))
    assert row.cells["MESSAGE"] == "Readiness probe failed"
