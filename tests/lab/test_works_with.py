# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to become root, bastions, what else is in an inventory, and options of ansible-playbook."""

from __future__ import annotations

import contextlib
import json

import pytest

# Passwords of accounts that are on the lab's machines during a test.
RIGHT, OF_ROOT = "right-word", "su-word"
SUDOERS = (
    "asks ALL=(ALL) ALL\nsome ALL=(root) NOPASSWD: /usr/bin/ss\nseated ALL=(ALL) NOPASSWD: ALL\n"
    "Defaults:seated requiretty\n"
)
ACCOUNTS = ("asks", "some", "seated", "nobodys")
SU = {"ansible_become_method": "ansible.builtin.su"}
NO_SUDO = "mv /usr/bin/sudo /usr/bin/sudo.away"


@contextlib.contextmanager
def accounts(lab, *names):
    """Accounts with and without sudo on these nodes, for the time being."""
    login = "cp -r /root/.ssh /home/{0} && chown -R {0} /home/{0}"
    made = "\n".join(
        f"useradd -m -s /bin/sh {one} && echo {one}:{RIGHT} | chpasswd && {login.format(one)}" for one in ACCOUNTS
    )
    for name in names:
        lab.exec(name, ["sh", "-c", f"{made}\necho root:{OF_ROOT} | chpasswd"], check=True)
        lab.exec(name, ["sh", "-c", f"printf '%s' '{SUDOERS}' >/etc/sudoers.d/tests && chmod 440 /etc/sudoers.d/tests"])
    try:
        yield
    finally:
        gone = "; ".join(f"userdel -rf {one}" for one in ACCOUNTS)
        for name in names:
            lab.exec(name, ["sh", "-c", f"{gone}; rm -f /etc/sudoers.d/tests; usermod -p '*' root"], check=False)


def inventory(lab, path, hosts):
    """An inventory with these hosts alone, each at a node of the lab; `at` is that node's name."""
    with open(lab.inventory, encoding="utf-8") as file:
        common = [line.strip().partition(": ") for line in file if line.startswith("    ansible_")]
    made = {}
    for name, variables in hosts.items():
        at = next((node.address for node in lab.nodes if node.name == variables.get("at")), "10.200.0.201")
        made[name] = {
            **({"ansible_host": at} if name != "localhost" else {}),
            **{key: value for key, value in variables.items() if key != "at"},
        }
    told = {key: value == "true" if value in ("true", "false") else value for key, _sign, value in common}
    kubeconfig = {"collect_kubeconfig": str(lab.state.path("kubeconfig-netmedic"))}
    path.write_text(json.dumps({"all": {"hosts": made, "vars": {**told, **kubeconfig}}}), encoding="utf-8")
    return str(path)


def missing(run):
    return {item["node"]: item["why"] for item in run.report["coverage"]["nodes"]["missing"]}


def test_windows_nodes_devices_and_the_controller_in_the_inventory_do_no_harm(lab, diagnose, tmp_path):
    # Their names come first, so that what is done once for all hosts is done for one of them.
    others = {
        "a-switch": {"ansible_connection": "ansible.netcommon.network_cli", "ansible_network_os": "cisco.ios.ios"},
        "a-win": {"ansible_connection": "winrm", "ansible_password": "x"},
        "localhost": {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"},
    }
    nodes = {node.name: {"at": node.name} for node in lab.nodes}
    hosts = inventory(lab, tmp_path / "hosts.json", {**others, **nodes})
    run = diagnose("-e", "report_fail_on_incomplete=true", inventory=hosts)
    assert run.status == 0, run.printed
    assert (run.report["verdict"], run.causes) == ("healthy", [])
    told = run.report["coverage"]["nodes"]
    assert {one["node"] for one in told["ignored"]} == {"a-switch", "a-win"}
    assert (told["without_calico"], missing(run)) == (["localhost"], {})


def test_a_tag_that_nothing_has_is_no_success(diagnose):
    run = diagnose("--tags", "nosuch")
    assert run.status == 2, run.printed
    assert "--tags nosuch leaves out all that this playbook does" in run.printed


@pytest.mark.thorough
def test_each_way_not_to_become_root_is_told_in_a_sentence(lab, diagnose, tmp_path):
    as_root = {"ansible_become": True, "at": "node-2"}
    hosts = {
        "right": {**as_root, "ansible_user": "asks", "ansible_become_password": RIGHT},
        "none-given": {**as_root, "ansible_user": "asks"},
        "wrong": {**as_root, "ansible_user": "asks", "ansible_become_password": "wrong"},
        "not-in-sudoers": {**as_root, "ansible_user": "nobodys", "ansible_become_password": RIGHT},
        "some-commands": {**as_root, "ansible_user": "some", "ansible_become_password": RIGHT},
        "terminal": {**as_root, "ansible_user": "seated"},
        "su": {**as_root, **SU, "at": "node-3", "ansible_user": "nobodys", "ansible_become_password": OF_ROOT},
        "su-wrong": {**as_root, **SU, "ansible_user": "nobodys", "ansible_become_password": "wrong"},
        "no-sudo": {**as_root, "at": "node-4", "ansible_user": "nobodys"},
    }
    with accounts(lab, "node-2", "node-3", "node-4"):
        lab.exec("node-4", ["sh", "-c", NO_SUDO], check=True)
        try:
            run = diagnose("--timeout", "60", inventory=inventory(lab, tmp_path / "hosts.json", hosts))
        finally:
            lab.exec("node-4", ["mv", "/usr/bin/sudo.away", "/usr/bin/sudo"])
    found = missing(run)
    assert found.keys() == hosts.keys() - {"right", "su"}, run.printed
    for name, words in {
        "none-given": "sudo asks for a password there, and none was given",
        "wrong": "sudo did not take the password",
        "not-in-sudoers": "its sudo allows this account nothing",
        "some-commands": "sudo allows this account certain commands only",
        "terminal": "its sudo wants a terminal",
        "su-wrong": "su did not take the password",
        "no-sudo": "there is no sudo on it",
    }.items():
        assert words in found[name], found


@pytest.mark.thorough
def test_nodes_behind_a_bastion(lab, diagnose, tmp_path):
    own = lab.state.path("ssh_config").read_text(encoding="utf-8").replace("ProxyUseFdpass yes", "ProxyUseFdpass no")
    hosts = {"node-1": {"at": "node-1"}}
    for name, bastion in (("node-2", "node-1"), ("node-3", "nowhere")):
        way = f"ssh -F {lab.state.path('ssh_config')} -W %h:22 {bastion}"
        lines = [f"  ProxyCommand {way}" if "ProxyCommand" in line else line for line in own.splitlines()]
        (tmp_path / name).write_text("\n".join([*lines, ""]), encoding="utf-8")
        # A connection that another test left open leads there without any bastion.
        own_place = {"ansible_control_path_dir": f"{lab.state.path('cp')}/bastion"}
        hosts[name] = {"at": name, "ansible_ssh_common_args": f"-F {tmp_path / name}", **own_place}
    run = diagnose(inventory=inventory(lab, tmp_path / "hosts.json", hosts))
    assert run.report["coverage"]["nodes"]["collected"] == 2, run.printed
    assert "where a bastion (ProxyJump, ProxyCommand) is between" in missing(run)["node-3"]
