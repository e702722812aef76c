# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words that sudo 1.9.13p3, su of util-linux 2.38.1, dash and OpenSSH 9.2p1 (Debian 12) gave on the lab by way of
ansible-core 2.19.14."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import inventory, refused
from ansible_collections.netmedic.calico.plugins.plugin_utils._raw import fallback

NO_JSON = "Module result deserialization failed: No start of json char found"


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"msg": "Task failed: Missing sudo password"}, "sudo asks for a password there, and none was given"),
        ({"msg": "Task failed: Incorrect sudo password"}, "sudo did not take the password that was given"),
        ({"msg": "Task failed: Incorrect su password"}, "su did not take the password that was given"),
        (
            {"msg": NO_JSON, "rc": 1, "module_stderr": "none is not in the sudoers file.\n"},
            "allows this account nothing",
        ),
        (
            {"msg": NO_JSON, "rc": 1, "module_stderr": "sudo: sorry, you must have a tty to run sudo\n"},
            "its sudo wants a terminal: set ansible_pipelining=false",
        ),
        # sudo took the password and did not allow the command: nothing comes through, with a terminal a line's end.
        (
            {"msg": NO_JSON, "rc": 1, "module_stderr": "", "module_stdout": "\r\n"},
            "allows this account certain commands",
        ),
        (
            {"msg": NO_JSON, "rc": 127, "module_stderr": "/bin/sh: 1: sudo: not found\n", "module_stdout": ""},
            "there is no sudo on it",
        ),
    ],
)
def test_why_no_root_is_told_in_words_that_help(result, words):
    variables = {"collect_result": {"failed": True, **result}}
    why, unreachable = inventory.why_not_read(variables)
    assert words in why
    assert not unreachable
    assert not fallback.lacks_python({"failed": True, **result})


def test_another_failure_is_none_of_rights():
    assert refused.privileges({"msg": "The module interpreter '/usr/bin/python3' was not found.", "rc": 127}) == ""
    assert refused.privileges({"module_stderr": "/bin/sh: 1: /usr/bin/python3: not found", "rc": 127}) == ""


def test_of_a_connection_that_is_closed_at_once_the_bastion_is_named():
    told = (
        "Task failed: Failed to connect to the host via ssh: kex_exchange_identification: Connection closed by remote "
        "host"
    )
    why, unreachable = inventory.why_not_read({"collect_result": {"unreachable": True, "msg": told}})
    assert why.startswith("unreachable: Failed to connect to the host via ssh: kex_exchange")
    assert "a bastion (ProxyJump, ProxyCommand) is between" in why
    assert unreachable


def test_a_bastion_that_says_much_of_itself_is_named_too():
    """OpenSSH 9.2: what the bastion's own connection failed of stands before what ssh makes of it."""
    told = (
        f"Task failed: Failed to connect to the host via ssh: {'not running ' * 20}\nmm_receive_fd: recvmsg: expected "
        "received 1 got 0\nproxy dialer did not pass back a connection\nkex_exchange_identification: Connection closed "
        "by remote host\nConnection closed by UNKNOWN port 65535"
    )
    why, _unreachable = inventory.why_not_read({"collect_result": {"unreachable": True, "msg": told}})
    assert "kex_exchange" not in why
    assert "a bastion (ProxyJump, ProxyCommand) is between" in why


def test_a_sudo_that_does_not_answer_in_time_is_told_as_such():
    told = "Task failed: Timeout (12s) waiting for privilege escalation prompt: "
    why, unreachable = inventory.why_not_read({"collect_result": {"unreachable": True, "msg": told}})
    assert why.startswith("unreachable: becoming root got no answer within 12 s: give it longer with --timeout")
    assert unreachable
