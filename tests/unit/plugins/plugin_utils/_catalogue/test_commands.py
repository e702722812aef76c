# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing that a node says becomes more than a word of a command line."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue import commands


@pytest.mark.parametrize("name", ["node-1", "10.0.0.1", "fd00::1", "worker_3.example.org", "eth0.100@if7"])
def test_a_plain_word_stays(name):
    assert commands.word(name, "NAME") == name


@pytest.mark.parametrize("name", ["", "-o", "a b", "a;id", "$(id)", "`id`", "a\nb", "a'b", "{{ 7 }}", "a|b", "*"])
def test_anything_else_is_left_to_the_operator(name):
    assert commands.word(name, "NAME") == "NAME"


@pytest.mark.parametrize(
    "line",
    [
        "sudo iptables -I INPUT 1 -p tcp -s 10.0.0.10 --dport 179 -j ACCEPT",
        'sudo nft "insert rule inet filter input ip saddr { 10.0.0.10, 10.0.0.11 } tcp dport 179 accept"',
        'sudo firewall-cmd --permanent --add-rich-rule="rule family=ipv4 source address=10.0.0.1 accept"',
    ],
)
def test_a_line_comes_through_both_shells_as_it_is_meant(line):
    typed = commands.on_node("node-1", line)
    assert typed.startswith("ssh node-1 ")
    # ssh joins its words with blanks, and the node's shell splits the result again.
    script = "ssh() { shift; sh -c \"printf '%s\\n' $*\"; }; " + typed
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == shlex.split(line)
