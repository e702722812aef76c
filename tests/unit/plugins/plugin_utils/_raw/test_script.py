# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script for nodes without Python: what it is sent as, what its output is cut into, and what it cuts out itself."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.plugin_utils._raw import script
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import node

RECORDED = Path(__file__).parent / "recorded"
MARK = "-0123456789abcdef0123456789abcdef"
SHELLS = [words for words in (["dash"], ["bash", "--posix"], ["busybox", "ash"]) if shutil.which(words[0])]


def recorded(name):
    return script.cut((RECORDED / name / "output.txt").read_text(encoding="utf-8"), MARK)


def facts(name, node_name="node-x"):
    return node.facts(recorded(name).texts, node_name)


def troubles(found):
    return {
        source["source"]: source["status"]
        for part in found.values()
        for source in part["sources"]
        if source["status"] in ("failed", "unrecognised")
    }


def test_a_healthy_node_is_read_as_by_the_module():
    assert recorded("healthy").complete
    found = facts("healthy")
    daemon = found["calico_bgp"]["daemons"]["ipv4"]
    assert (daemon["running"], daemon["socket_state"], daemon["via"]) == (True, "answers", "birdcl")
    assert daemon["peers"]["packed"] == {"Mesh": {"10.200.0": "10-12"}}
    assert daemon["troubled"] == []
    assert daemon["config"]["newer_than_running"] is False
    assert found["calico_bgp"]["expected"] is True
    assert [one["process"] for one in found["calico_bgp"]["listeners"]] == ["bird"]
    assert found["calico_chrony"]["synchronised"] is True
    assert found["calico_node"]["nodename"] == "node-1"
    assert found["calico_node"]["nodename_source"] == "file"
    assert found["calico_node"]["privileged"] is True
    assert [one["address"] for one in found["calico_node"]["addresses"]] == ["10.200.0.9"]
    assert found["calico_mtu"]["paths"][0]["carries"] == 1500
    assert troubles(found) == {}


def test_busybox_tells_the_same_but_for_the_sizes_of_paths():
    found = facts("busybox")
    assert found["calico_bgp"]["daemons"]["ipv4"]["peers"]["established"] == 3
    assert found["calico_node"]["bgp_addresses"] == {"ipv4": "10.200.0.11"}
    assert [one["address"] for one in found["calico_node"]["addresses"]] == ["10.200.0.11"]
    assert troubles(found) == {"path_mtu": "failed"}


def test_the_rule_that_blocks_is_named():
    (verdict,) = facts("blocked")["calico_firewall"]["tcp179"]["inbound"]
    assert verdict["verdict"] == "drop"
    assert verdict["rule"]["text"] == "-A INPUT -p tcp -m tcp --dport 179 -j DROP"
    assert verdict["rule"]["backend"] == "iptables-nft"


def test_peers_in_trouble_are_looked_at_without_a_syn():
    found = facts("blocked")["calico_bgp"]
    assert {probe["result"] for probe in found["probes"]} == {"not_tried"}
    assert {reach["echo"] for reach in found["peer_reachability"]} == {"answered"}
    assert {reach["on_link"] for reach in found["peer_reachability"]} == {True}
    assert troubles(facts("blocked"))["probes"] == "failed"


def test_a_wrong_password_shows_in_counters_and_stays_on_the_node():
    assert "lab-other-password" not in (RECORDED / "password" / "output.txt").read_text(encoding="utf-8")
    found = facts("password")["calico_bgp"]
    assert found["daemons"]["ipv4"]["config"]["password"] == "all"
    assert found["md5"]["seconds"] >= 2
    assert sum(counter["grew"] for name, counter in found["md5"].items() if name != "seconds") > 0


def test_a_hung_bird_is_given_up_on():
    daemon = facts("hung")["calico_bgp"]["daemons"]["ipv4"]
    assert (daemon["socket_state"], daemon["process_state"], daemon["running"]) == ("no_answer", "T", True)


@pytest.mark.parametrize("name", ["healthy", "blocked"])
def test_output_through_a_terminal_is_the_same(name):
    text = (RECORDED / name / "output.txt").read_text(encoding="utf-8")
    assert script.cut(text.replace("\n", "\r\n"), MARK) == script.cut(text, MARK)


def test_the_command_line_does_not_hold_the_mark():
    mark = script.new_mark()
    command = script.command({"peers": ["10.0.0.1", "$(reboot)", "fd00::1"], "timeout": 3, "probe": False}, mark)
    assert mark not in command
    assert "reboot" not in command
    assert "seconds=3 " in command
    assert "probe=no " in command
    assert "more_peers='10.0.0.1 fd00::1'" in command
    assert len(command) < 64 * 1024


def test_a_socket_with_odd_characters_is_quoted():
    assert "socket4='/run/a b;$(x)'" in script.command({"bird_socket": "/run/a b;$(x)"}, MARK)


@pytest.mark.parametrize("shell", SHELLS, ids=lambda words: words[0])
def test_every_shell_can_parse_it(shell):
    done = subprocess.run([*shell, "-n", "-c", script.command({}, MARK)], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@given(st.text(), st.integers(0, 20000))
def test_output_that_is_cut_short_or_garbled_does_no_harm(garbage, length):
    text = (RECORDED / "healthy" / "output.txt").read_text(encoding="utf-8")
    output = script.cut(text[:length] + garbage + text[length + 1000 :][:2000], MARK)
    assert set(node.facts(output.texts, "x", 1.0)) == {
        "calico_bgp",
        "calico_firewall",
        "calico_mtu",
        "calico_chrony",
        "calico_node",
    }


def test_a_text_cannot_pass_for_another():
    assert script.cut("\n-guess> bird.cfg\nrouter id 6.6.6.6;\n-guess< 0\n", MARK).texts == {}


def cut_on_the_node(shell, text):
    lines = script.command({}, MARK).splitlines()
    start = lines.index("without_passwords() {")
    function = "\n".join(lines[start : lines.index("}", start) + 1])
    done = subprocess.run(
        [*shell, "-c", f"{function}\nwithout_passwords"], input=text, capture_output=True, text=True, check=True
    )
    return done.stdout


SECRETS = [
    '  password "CANARY";\n  passive on;\n',
    '  password "CANARY"; passive on;\n',
    '  password "CAN;ARY"; # CANARY\n  passive on;\n',
    'password "CANARY";',
    'password\n  "CANARY"\n  ;\n  passive on;\n',
    'password "CANARY\nCANARY";\n',
    'password "a"CANARY;CANARY";\n',
    'passwords { password "CANARY" { from "1-1-2026"; }; password "CANARY"; };\n',
    'neighbor 10.0.0.1 as 1; password "CANARY"; password "CANARY";\n',
    '  password "CANARY',
    "  password CANARY;\n",
    '  Password "CANARY";\n',
    '# password "CANARY"\n',
]


@pytest.mark.parametrize("text", SECRETS)
@pytest.mark.parametrize("shell", SHELLS, ids=lambda words: words[0])
def test_passwords_are_cut_on_the_node(shell, text):
    assert "CANARY" not in cut_on_the_node(shell, text)


@pytest.mark.parametrize("text", SECRETS)
def test_passwords_are_cut_on_the_controller_too(text):
    assert "CANARY" not in script.without_secrets(text)


def test_what_stands_beside_a_password_stays():
    text = 'protocol bgp A {\n  password "x"; passive on;\n  ttl security off;\n}\n'
    for cut in (cut_on_the_node(SHELLS[0], text), script.without_secrets(text)):
        assert cut == 'protocol bgp A {\n  password "cut"; passive on;\n  ttl security off;\n}\n'
    assert script.without_secrets(script.without_secrets(text)) == script.without_secrets(text)


def test_a_comment_that_speaks_of_passwords_costs_no_statement():
    text = "# the password\nprotocol bgp A {\n  neighbor 10.0.0.1 as 1; # its password\n}\n"
    for cut in (cut_on_the_node(SHELLS[0], text), script.without_secrets(text)):
        assert cut == "#\nprotocol bgp A {\n  neighbor 10.0.0.1 as 1; #\n}\n"


def test_a_password_without_an_end_costs_a_few_lines_and_little_time():
    text = "password CANARY\n" + "x\n" * 20000 + "protocol bgp B { neighbor 10.0.0.2 as 1; }\n"
    for cut in (cut_on_the_node(SHELLS[0], text), script.without_secrets(text)):
        assert "CANARY" not in cut
        assert "10.0.0.2" in cut or cut == script.without_secrets(text)


def test_keys_and_tokens_are_cut():
    text = "a\n-----BEGIN RSA PRIVATE KEY-----\nCANARY\n-----END RSA PRIVATE KEY-----\nb token: CANARY\n"
    assert "CANARY" not in script.without_secrets(text)
    assert script.without_secrets("nothing here\n") == "nothing here\n"
