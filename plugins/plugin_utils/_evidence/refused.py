# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a task could not become root on a host, or not log in by way of a bastion: in words that say what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from . import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

# What Ansible puts before the words of a plugin.
_PREFIX = re.compile(r"^(?:Task failed: |Action failed: )+")
_WORDS = r"sudo|su|doas|dzdo|pbrun|pfexec|ksu|sesu|pmrun|machinectl"
_LONGEST = 120
_ASKED = (
    "{by} asks for a password there, and none was given: run again with --ask-become-pass, or set "
    "ansible_become_password"
)
# What tells of it, and the half sentence about that.
_BECOME = tuple(
    (re.compile(pattern, re.IGNORECASE), why)
    for pattern, why in (
        (r"Missing (?P<by>\w+) password", _ASKED),
        (r"(?P<by>sudo): a password is required", _ASKED),
        (
            r"Incorrect (?P<by>\w+) password",
            (
                "{by} did not take the password that was given: look at ansible_become_password, or at what was typed "
                "for --ask-become-pass"
            ),
        ),
        (
            r"(?P<line>\S+ is not in the sudoers file|user \S+ may not run sudo on \S+)",
            "its sudo allows this account nothing: {line}",
        ),
        (
            r"(?P<line>user \S+ is not allowed to execute .{1,300}? as \S+ on \S+)",
            (
                "its sudo allows this account certain commands only, and Ansible needs a rule that allows all "
                "commands: {line}"
            ),
        ),
        (
            rf"(?P<by>{_WORDS}): (?:sorry, )?(?:you )?(?:must (?:have a tty|be run from a terminal)|a tty is req)",
            "its {by} wants a terminal: set ansible_pipelining=false for it, or take requiretty away for this account",
        ),
        (
            rf"(?:^|[\s/'\"])(?P<by>{_WORDS})['\"]?: (?:command )?not found",
            "there is no {by} on it: log in as root, or name the way to become root in ansible_become_method",
        ),
        (
            r"Timeout \((?P<seconds>\d+)s\) waiting for privilege escalation prompt",
            (
                "becoming root got no answer within {seconds} s: give it longer with --timeout, or see by hand (sudo "
                "-v) what is asked there"
            ),
        ),
    )
)
_NOTHING = "No start of json char found"
_WORDLESS = (
    "nothing was run there, and nothing says why, as where sudo allows this account certain commands only: see by hand "
    "with sudo -l; Ansible needs a rule that allows all"
)
_HUNG_UP = re.compile(r"kex_exchange_identification: |Connection closed by UNKNOWN port 65535")
_BEHIND = "ssh says so, too, where a bastion (ProxyJump, ProxyCommand) is between and that one cannot be reached"


def privileges(result: Mapping[str, Any]) -> str:
    """Return why the task could not become root, in half a sentence; '' if that is not why it failed."""
    told = " ".join(plain.text(result.get(key)) for key in ("msg", "module_stderr", "module_stdout"))
    for pattern, why in _BECOME:
        found = pattern.search(told)
        if found:
            return why.format(**{name: plain.cut(words, _LONGEST) for name, words in found.groupdict().items()})
    printed = f"{plain.text(result.get('module_stderr'))}{plain.text(result.get('module_stdout'))}"
    # What sudo says of a command that it does not allow, Ansible takes for part of the talk about the password.
    return _WORDLESS if _NOTHING in told and result.get("rc") == 1 and not printed.strip() else ""


def behind_a_bastion(told: str, shown: str) -> str:
    """Return why no connection was made, as it is shown, with what may be behind it where ssh does not tell: all that
    it told, as what a bastion says of itself comes before its own words."""
    return f"{shown.rstrip('.')}; {_BEHIND}" if _HUNG_UP.search(told) and _BEHIND not in told else shown


def without_prefix(told: str) -> str:
    """Return what a task says without what Ansible puts before it."""
    return _PREFIX.sub("", told)
