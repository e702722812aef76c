# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quotations of outputs that stand among outputs in fences are outputs of the host in their own prompt."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import pasted, read

PROTOCOLS = """root@kcp-1:~# birdcl -s /var/run/calico/bird.ctl show protocols
BIRD v0.3.3+birdv1.6.8 ready.
name     proto    table    state  since       info
device1  Device   master   up     2026-11-20
Mesh_10_20_0_12 BGP      master   up     2026-11-20  Established
"""
LOG = """root@kcp-1:~# kubectl logs -n kube-system calico-node-2bq7x --tail=4
bird: Mesh_10_20_0_12: Error: Bad peer AS: 64513
bird: Mesh_10_20_0_12: State changed to start
"""


def quoted(text):
    return "".join(f"> {row}\n" for row in text.rstrip().split("\n"))


def fenced(text):
    return f"```\n{text}```\n"


@pytest.mark.parametrize("before", ["", "We changed something, and now it is broken.\n\n"])
def test_a_quoted_output_before_a_fence_keeps_its_host(before):
    text = f"{before}{quoted(PROTOCOLS)}\n{fenced(LOG)}"
    parts = pasted.parts(pasted.cleaned(text))
    assert [(part.host, part.command.split()[0]) for part in parts] == [("kcp-1", "birdcl"), ("", "kubectl")]
    assert parts[0].text.rstrip() == PROTOCOLS.rstrip()


def test_all_of_it_is_of_the_one_host_that_is_named():
    assert set(read.sort({"ticket.md": f"{quoted(PROTOCOLS)}\n{fenced(LOG)}"}).nodes) == {"kcp-1"}


def test_quoted_prose_stays_prose():
    text = f"> Is it the firewall of node kcp-1, or what?\n\n{fenced(PROTOCOLS)}"
    (part,) = pasted.parts(pasted.cleaned(text))
    assert part.text.rstrip() == PROTOCOLS.rstrip()
