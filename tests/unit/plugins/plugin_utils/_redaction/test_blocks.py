# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico calls blocks by their prefixes, and affinities by a node's name and a prefix, with dashes for all signs."""

from __future__ import annotations

import ipaddress
import json

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.redactor import Redactor

NODES = ("node-1", "worker-2.corp.internal", "ip-10-0-1-45", "web7", "node-1-10", "master")
BLOCKS = (
    *("10.244.1.0/26", "10.244.2.64/26", "10.244.4.0/22", "192.168.144.128/28", "10.244.7.9/32"),
    *("fd00:10:244::/122", "fd00:10:244:0:8c1::/122", "fd00:10:244:0:1:2:3:0/116"),
)


def dashed(prefix):
    """As CIDRToName of Calico's lib/names makes it."""
    return prefix.replace(".", "-").replace(":", "-").replace("/", "-")


def listed(items):
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1)


def bundle(node, prefix):
    affinity = {
        "metadata": {"name": f"{node}-{dashed(prefix)}"},
        "spec": {"cidr": prefix, "node": node, "state": "confirmed"},
    }
    block = {"metadata": {"name": dashed(prefix)}, "spec": {"affinity": f"host:{node}", "cidr": prefix}}
    named = {"metadata": {"name": node}, "spec": {"podCIDR": "10.244.0.0/16"}}
    return {
        "cluster/blockaffinities.json": listed([affinity]),
        "cluster/ipamblocks.json": listed([block]),
        "cluster/nodes.json": listed([named]),
        "cluster/ippools.json": listed([{"metadata": {"name": "default"}, "spec": {"cidr": "10.244.0.0/16"}}]),
        "nodes/web7/calico-node.log": f"Affinity BlockAffinity({node}-{dashed(prefix)}) of {prefix} is confirmed\n",
    }


@pytest.mark.parametrize("key", ["a", "b", "c"])
@pytest.mark.parametrize("prefix", BLOCKS)
@pytest.mark.parametrize("node", NODES)
def test_names_of_blocks_and_affinities_follow_their_prefixes(node, prefix, key):
    made = Redactor(key).texts(bundle(node, prefix))
    assert made.leaks == []
    (affinity,) = json.loads(made.texts["cluster/blockaffinities.json"])["items"]
    (block,) = json.loads(made.texts["cluster/ipamblocks.json"])["items"]
    replaced = affinity["spec"]["cidr"]
    assert replaced == block["spec"]["cidr"] != prefix
    ipaddress.ip_network(replaced)  # fails if there are bits of a host
    assert block["metadata"]["name"] == dashed(replaced)
    assert affinity["metadata"]["name"].endswith(f"-{dashed(replaced)}")
    assert dashed(prefix) not in str(made.texts)
    if node != "master":
        assert affinity["metadata"]["name"] == f"{affinity['spec']['node']}-{dashed(replaced)}"
        assert node not in str(made.texts)


def test_a_block_that_is_in_no_list_any_more_is_replaced():
    made = Redactor("key").texts({"nodes/a/x.log": "Released affinity db-7-10-244-9-192-26\n", "bundle.json": "{}"})
    assert made.leaks == []
    assert "10-244-9-192" not in str(made.texts)


def test_a_name_with_an_address_in_it_is_replaced_once_and_as_the_address_is():
    made, leaks, _count = Redactor("key").data({"nodeName": "ip-10-0-1-45", "at": "10.0.1.45", "in": "x ip-10-0-1-45"})
    assert leaks == []
    assert made["nodeName"] == "ip-" + made["at"].replace(".", "-")
    assert made["in"] == "x " + made["nodeName"]
