# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests for what events and calicoctl tell of pods' addresses."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import offline
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import calicoctl_ipam, recognise

EVENTS = """\
NAMESPACE   LAST SEEN   TYPE      REASON                   OBJECT                     MESSAGE
shop        2m11s       Warning   FailedCreatePodSandBox   pod/cart-6d5f7c9b8-2xk9q   Failed to create pod sandbox: \
rpc error: code = Unknown desc = failed to setup network for sandbox "9f2b": plugin type="calico" failed (add): failed \
to request IPv4 addresses: Assigned 0 out of 1 requested IPv4 addresses; No more free affine blocks
"""
PODS = """\
NAMESPACE     NAME                   READY   STATUS              RESTARTS   AGE   IP            NODE
kube-system   calico-node-2bq7x      1/1     Running             0          41d   10.20.0.11    kcp-1
kube-system   calico-node-hv8dk      1/1     Running             0          41d   10.20.0.12    wrk-1
shop          cart-6d5f7c9b8-2xk9q   {ready}     {state:<17}   0          3m    <none>        wrk-1
"""
ADDRESSES = """\
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP group default qlen 1000
    link/ether 52:54:00:0a:00:{number} brd ff:ff:ff:ff:ff:ff
    inet 10.20.0.{number}/24 brd 10.20.0.255 scope global eth0
"""
RULE = "+----------+---------------------+------------+------------+------------+\n"
SHOWN = (
    RULE
    + "| GROUPING |        CIDR         | IPS TOTAL  | IPS IN USE |  IPS FREE  |\n"
    + RULE
    + "| IP Pool  | 192.168.10.0/25     |        128 | 128 (100%) | 0 (0%)     |\n"
    + "| Block    | 192.168.10.0/26     |         64 | 64 (100%)  | 0 (0%)     |\n"
    + "{more}"
    + RULE
)
FREE = "| IP Pool  | 192.168.20.0/25     |        128 | 1 (1%)     | 127 (99%)  |\n"
WIDE = "| IP Pool  | fd00:10:244::/48    | 1.2089e+24 | 3 (0%)     | 1.2089e+24 |\n"


def findings(tmp_path, **texts):
    for number, name in ((11, "kcp-1"), (12, "wrk-1")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ip-addr.txt").write_text(ADDRESSES.format(number=number), encoding="utf-8")
    for name, text in texts.items():
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    return {one["fault"]: one for one in offline.analysed(str(tmp_path)).report["findings"]}


def test_that_nobody_says_on_which_node_does_not_hide_it(tmp_path):
    found = findings(tmp_path, events=EVENTS)["ipam_exhausted"]
    assert found["nodes"] == ["unnamed-node"]
    assert "unnamed" not in found["summary"]


def test_a_list_of_pods_says_where_it_is(tmp_path):
    pods = PODS.format(ready="0/1", state="ContainerCreating")
    assert findings(tmp_path, events=EVENTS, pods=pods)["ipam_exhausted"]["nodes"] == ["wrk-1"]


def test_a_pod_that_runs_has_got_one(tmp_path):
    pods = PODS.format(ready="1/1", state="Running")
    assert "ipam_exhausted" not in findings(tmp_path, events=EVENTS, pods=pods)


def test_full_pools_are_told(tmp_path):
    found = findings(tmp_path, ipam=SHOWN.format(more=""))["ipam_exhausted"]
    assert found["confidence"] > 0.9
    assert "192.168.10.0/25: 128 of 128" in found["summary"]


@pytest.mark.parametrize("more", [FREE, WIDE])
def test_another_pool_has_some_left(tmp_path, more):
    assert "ipam_exhausted" not in findings(tmp_path, ipam=SHOWN.format(more=more))


def test_the_table_is_read():
    text = SHOWN.format(more=FREE + WIDE)
    assert recognise.recognise(text) == "calicoctl-ipam-show"
    parsed = calicoctl_ipam.parse(text)
    assert parsed.value == (
        ("192.168.10.0/25", True, 128, 128),
        ("192.168.10.0/26", False, 64, 64),
        ("192.168.20.0/25", True, 128, 1),
        ("fd00:10:244::/48", True, None, 3),
    )
    assert not parsed.problems
