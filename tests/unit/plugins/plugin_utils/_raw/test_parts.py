# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the script for nodes without Python that leave out on the node what is nobody's business."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts import control_plane
from ansible_collections.netmedic.calico.plugins.module_utils._firewall import boot_scripts
from ansible_collections.netmedic.calico.plugins.module_utils._host import calico_log, distributions
from ansible_collections.netmedic.calico.plugins.plugin_utils._raw import places
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._raw.test_script import SHELLS, on_the_node

HAS = 'has() { command -v "$1" >/dev/null 2>&1; }\nlimited() { "$@"; }\ntab=$(printf "\\t")\nnl="\n"\n'
every_shell = pytest.mark.parametrize("shell", SHELLS, ids=lambda words: words[0])


def quoted(name):
    return f"{name}='{places.settings()[name]}'\n"


K3S = [
    ("node-ip: 10.0.0.1 # CANARY\ntoken: CANARY\n", {"node_ip": "10.0.0.1"}),
    ("node-ip:\n- 10.0.0.1\n  - 'fd00::1'\n", {"node_ip": "10.0.0.1,fd00::1"}),
    ('"node-ip": [10.0.0.1, "fd00::1"]\n', {"node_ip": "10.0.0.1,fd00::1"}),
    ("node-name: x\nagent-token:\n  - CANARY\ntls-san: [CANARY]\n", {"hostname_override": "x"}),
    ("kubelet-arg: ['node-ip=10.0.0.1', bootstrap=CANARY]\n", {"node_ip": "10.0.0.1"}),
    ("kubelet-arg+:\n  - --hostname-override=x\n  - token=CANARY\nother: CANARY\n", {"hostname_override": "x"}),
    ("node-name: $(CANARY)\n  - CANARY\n", {}),
    ("datastore-endpoint: mysql://CANARY@x/y\n# node-ip: CANARY\n", {}),
]


@every_shell
@pytest.mark.parametrize(("text", "told"), K3S)
def test_of_a_configuration_of_k3s_only_name_and_address_leave_the_node(shell, text, told):
    shown = on_the_node(shell, ["of_k3s"], f"{HAS}{quoted('told_flags')}of_k3s", text)
    assert "CANARY" not in shown
    assert distributions.parse_config(shown) == told == distributions.parse_config(text) or not told


SERVERS = [
    ("clusters:\n- cluster:\n    server: https://10.0.0.1:6443\n  token: CANARY\n", "https://10.0.0.1:6443"),
    ("- 'server': x\n'server': 'https://[fd00::1]:6443'\n", "https://[fd00::1]:6443"),
    ("server: https://user:CANARY@10.0.0.1:6443\n", ""),
]


@every_shell
@pytest.mark.parametrize(("text", "server"), SERVERS)
def test_of_a_kubeconfig_only_the_server_leaves_the_node(shell, text, server, tmp_path):
    (tmp_path / "x").write_text(text, encoding="utf-8")
    shown = on_the_node(shell, ["server_of"], f"server_of {tmp_path}/x").strip()
    assert "CANARY" not in shown
    assert shown == server
    if server:
        assert control_plane.server_of(text) == server


ENDS = [
    ("https://10.0.0.1:6443", "[0-9A-F]*(0100000A|0A000001):192B"),
    ("https://10.0.0.1/x", "[0-9A-F]*(0100000A|0A000001):01BB"),
    ("http://[fd00::1]", "[0-9A-F]{32}:0050"),
    ("https://10.0.0.1:99999999", ""),
    ("https://$(reboot):1", ""),
]


@every_shell
@pytest.mark.parametrize(("url", "pattern"), ENDS)
def test_ends_of_connections_are_spelled_as_the_kernel_spells_them(shell, url, pattern):
    call = f"remotes=; ends_at '{url}'; printf '%s' \"$remotes\""
    assert on_the_node(shell, ["ends_at"], HAS + call) == (f"|{pattern}" if pattern else "")


KUBELET = """I1121 08:00:00.000001       9 prober.go:107] "Probe failed" output=<
\tcalico/node is not ready: felix is not ready
\tof no interest
 >
Nov 21 08:00:01 node-1 k3s[9]: time="x" level=error msg="Failed to contact API server"
I1121 08:00:02.000001       9 other.go:1] of no interest either
Nov 21 08:00:03 node-1 sudo[9]: CANARY dial tcp
\tdial tcp CANARY
"""


@every_shell
def test_of_kubelets_log_whole_messages_are_told(shell):
    shown = on_the_node(shell, ["of_kubelet"], f"{HAS}{quoted('kubelet_words')}of_kubelet", KUBELET)
    assert "CANARY" not in shown
    assert "of no interest" not in shown
    now = 1_795_000_000.0
    assert calico_log.parse_kubelet(shown, now, 0) == calico_log.parse_kubelet(KUBELET, now, 0)
    assert len(calico_log.parse_kubelet(shown, now, 0)) == 2


LINES = [
    "iptables -A INPUT",
    "  /sbin/ip6tables-legacy-restore </x",
    "x=$(nft list ruleset)",
    "# iptables",
    "  ; nft",
    "aiptables",
    "iptables-like",
    "my-nft -f",
    "echo; # and ipset",
    "xnft nft.conf",
    "(ferm)",
]


@every_shell
@pytest.mark.parametrize("line", LINES)
def test_scripts_that_call_programs_for_filters_are_known_alike(shell, line, tmp_path):
    (tmp_path / "x").write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    shown = on_the_node(shell, ["calls"], f"{HAS}{quoted('filter_programs')}calls {tmp_path}/x || :")
    assert bool(shown) is boot_scripts.calls(f"#!/bin/sh\n{line}\n")


@every_shell
def test_of_units_and_scripts_nothing_but_their_paths_leaves_the_node(shell, tmp_path):
    units = tmp_path / "units"
    (units / "x.wants").mkdir(parents=True)
    (tmp_path / "lib").mkdir()
    script, plain = tmp_path / "own-rules", tmp_path / "plain"
    script.write_text("#!/bin/sh\nPASSWORD=CANARY\nnft -f x\n", encoding="utf-8")
    plain.write_bytes(b"\177ELF nft CANARY")
    for name, text in (
        ("own", f"ExecStart=-{script} --token CANARY"),
        ("direct", "ExecStartPre=/bin/sh -c 'iptables CANARY'"),
        ("plain", f"ExecStart={plain} CANARY"),
        ("ferm", "ExecStart=/bin/true"),
    ):
        (tmp_path / "lib" / f"{name}.service").write_text(f"[Service]\n{text}\n", encoding="utf-8")
        (units / "x.wants" / f"{name}.service").symlink_to(tmp_path / "lib" / f"{name}.service")
    (units / "direct.service").symlink_to("/dev/null")
    settings = f"boot_units={units} unit_folders={tmp_path}/lib boot_services= boot_other_services=ferm\n"
    settings += "boot_scripts= boot_script_folders= boot_sysv= boot_openrc=\n" + quoted("filter_programs")
    names = ["entry", "calls", "unit_text", "unit", "script_files"]
    shown = on_the_node(shell, names, HAS + settings + "script_files").splitlines()
    assert "CANARY" not in "".join(shown)
    assert f":{tmp_path}/lib/own.service:ExecStart={script}" in shown
    assert {f":{script}:#!", f":{script}:nft", f"={units}/x.wants/ferm.service\t"} <= set(shown)
    assert f"@{units}/direct.service\t/dev/null" in shown
    assert not any("plain" in line for line in shown)


@pytest.mark.parametrize("program", ["bash", "curl", "nc"])
@every_shell
def test_health_is_asked_by_whatever_program_there_is(shell, program):
    if not any(os.access(f"{folder}/{program}", os.X_OK) for folder in os.environ["PATH"].split(":")):
        pytest.skip("it is not here")
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _address = listening.accept()
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += connection.recv(4096)
        connection.sendall(b"HTTP/1.0 503 Service Unavailable\r\n\r\n" + request[:19])
        connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    port = listening.getsockname()[1]
    has = f'has() {{ [ "$1" = {program} ]; }}\nlimited() {{ "$@"; }}\n'
    shown = on_the_node(shell, ["asked"], f"{has}asked 127.0.0.1 {port}")
    thread.join(5)
    listening.close()
    assert shown.startswith("HTTP/1.0 503")
    assert "GET /readiness HTTP" in shown
    ended = on_the_node(shell, ["asked"], f"{has}asked 127.0.0.1 {port}")
    assert ended.strip() == ("ended 7" if program == "curl" else "ended 1")
