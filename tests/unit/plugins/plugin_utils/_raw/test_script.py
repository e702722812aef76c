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

from ansible_collections.netmedic.calico.plugins.module_utils._host import certificates, cni
from ansible_collections.netmedic.calico.plugins.plugin_utils._raw import places, redact, script
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import node, told_files

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


def test_keys_and_tokens_are_cut():
    text = "a\n-----BEGIN RSA PRIVATE KEY-----\nCANARY\n-----END RSA PRIVATE KEY-----\nb token: CANARY\n"
    assert "CANARY" not in redact.without_secrets(text)
    assert redact.without_secrets("nothing here\n") == "nothing here\n"


def on_the_node(shell, functions, call, text=""):
    """What a function of the script prints, run by itself."""
    lines = script.command({}, MARK).splitlines()
    found = []
    for name in functions:
        start = next(number for number, line in enumerate(lines) if line.startswith(f"{name}() {{"))
        end = start if lines[start].endswith("}") else lines.index("}", start)
        found += lines[start : end + 1]
    done = subprocess.run(
        [*shell, "-c", "\n".join([*found, call])], input=text, capture_output=True, text=True, check=True
    )
    return done.stdout


CONFIGURATIONS = [
    ('{"plugins": [{"key": "CANARY", "type": "calico", "ipam": {"type": "calico-ipam"}}]}', "calico"),
    ('{"plugins":[{"ipam":{"type":"host-local"},"etcd_key":"CAN\\"ARY","type":"flannel"}]}', "flannel"),
    ('{"type": "bridge", "mtu": 1400, "on": true, "nothing": null, "pin": -1.5e3}', "bridge"),
    ('{\n  "type"\n:\n "multus"\n, "token": "type", "type2": "CANARY"}', "multus"),
    ('{"type": "CANARY with words"}', ""),
    ("token: CANARY", ""),
    ('{"type": CANARY}', ""),
    ('{"a": "CANARY', ""),
    ('"type" : "x" CANARY "', ""),
]


@pytest.mark.parametrize(("text", "plugin"), CONFIGURATIONS)
@pytest.mark.parametrize("shell", SHELLS, ids=lambda words: words[0])
def test_of_a_cni_configuration_only_types_leave_the_node(shell, text, plugin):
    shown = on_the_node(shell, ["skeleton"], "skeleton", text)
    assert "CANARY" not in shown
    assert "1400" not in shown
    assert cni.plugin_of(shown) == plugin


CERTIFICATE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\n"
CHAINS = [
    (CERTIFICATE + KEY, 1),
    (KEY + CERTIFICATE, 1),
    (CERTIFICATE + KEY + CERTIFICATE, 2),
    ("-----BEGIN CERTIFICATE-----\nAAAA\n" + KEY, 0),
    ("-----BEGIN CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\nCANARY\n", 0),
    ("-----BEGIN CERTIFICATE-----AAAA-----BEGIN RSA PRIVATE KEY-----CANARY", 0),
    ("-----BEGIN CERTIFICATE-----\n-----BEGIN SOMETHING-----\nCANARY\n", 0),
    ("CANARY\n", 0),
]


@pytest.mark.parametrize(("text", "whole"), CHAINS)
@pytest.mark.parametrize("shell", SHELLS, ids=lambda words: words[0])
def test_nothing_but_certificates_leaves_the_node(shell, text, whole):
    shown = on_the_node(shell, ["certificates"], "certificates", text)
    assert "CANARY" not in shown
    assert shown.count("-----END CERTIFICATE-----") == whole


@pytest.mark.parametrize(
    "text",
    [
        "password: CANARY",
        'Password "CANARY"',
        "secret=CANARY CANARY",
        "SECRET = CANARY",
        "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJDQU5BUlkifQ.CANARY",
    ],
)
@pytest.mark.parametrize("shell", SHELLS, ids=lambda words: words[0])
def test_secrets_in_logs_are_cut_twice(shell, text):
    assert "CANARY" not in on_the_node(shell, ["cut_secrets"], "cut_secrets", text + "\n")
    assert "CANARY" not in redact.redacted(told_files.FILE, f"|{text.replace('CANARY CANARY', 'CANARY')}\n").replace(
        'Password "CANARY"', ""
    )


def test_a_word_in_a_log_costs_no_other_line():
    text = "=/var/log/x\t1\n|Can't read password from a secret\n=/etc/y\t\n|a; b\n"
    assert redact.redacted(told_files.FILE, text) == text
    base64 = "|MIIBeyJ0eXAi/eyJhb+eyJ\n"
    assert redact.redacted(told_files.FILE, base64) == base64


@pytest.mark.parametrize("shell", SHELLS, ids=lambda words: words[0])
def test_links_are_followed_inside_a_containers_root(shell, tmp_path):
    root = tmp_path / "root"
    (root / "etc" / "certs" / "..data").mkdir(parents=True)
    (root / "etc" / "certs" / "tls.crt").symlink_to("..data/tls.crt")
    (root / "var").symlink_to("/etc")
    (root / "loop").symlink_to("/loop")
    (root / "out").symlink_to("../../../../etc/passwd")

    def inside(path):
        return on_the_node(shell, ["seen_inside"], f"seen_inside {root} {path}").strip()

    assert inside("/etc/certs/tls.crt") == f"{root}/etc/certs/..data/tls.crt"
    assert inside("/var/certs/tls.crt") == f"{root}/etc/certs/..data/tls.crt"
    assert inside("/out") == f"{root}/etc/passwd"
    assert inside("/../../x") == f"{root}/x"
    assert inside("/loop") == f"{root}/loop"


def test_what_the_readers_look_at_is_what_the_script_is_told():
    told = places.settings()
    assert set(certificates.FOLDERS) == set(told["certificate_folders"].split())
    assert "calico-node" in told["names"].split()
    assert "systemd-timesyn" in told["names"].split()
    command = script.command({}, MARK)
    assert [name for name in told if f"${name}" not in command and f"{{{name}" not in command] == []


def test_a_log_that_is_no_regular_file_is_told():
    texts = dict(recorded("healthy").texts)
    texts[script.TOLD] += "not_regular\t/var/log/calico/bird/current\n"
    told = {one["source"]: one for one in node.facts(texts, "")["calico_bgp"]["sources"]}["bird_log"]

    assert told["status"] == "failed"
    assert "not a regular file" in told["detail"]
