# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places in commands and in programs' outputs where nothing but the name of a node or a host can stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._texts import lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NAME = r"([A-Za-z0-9][A-Za-z0-9._-]{0,252})"
_FOUR = r"\d{1,3}(?:\.\d{1,3}){3}"
_VALUED = r"(?:output|selector|namespace|context|kubeconfig|grace-period|timeout|type|patch|template|field-selector)"
# Of what takes a value the value is none of a node's names.
_OPTIONS = (
    rf"(?:-[olnLfpc][ \t]+\S+[ \t]+|--{_VALUED}[ \t]+\S+[ \t]+|--(?!{_VALUED}[ \t])[\w-]+(?:=\S+)?[ \t]+"
    r"|-[A-KM-Zabdeg-kmq-z]\w*[ \t]+){0,9}"
)
# Lines that programs print: one of the words without which there is none of them, and the line.
_PRINTED = tuple(
    (signs, re.compile(rf"(?m){pattern}"))
    for signs, pattern in (
        # Ansible
        (
            ("ok: [", "changed: [", "fatal: [", "failed: [", "skipping: [", "unreachable: ["),
            rf"^(?:ok|changed|fatal|failed|skipping|unreachable): \[{_NAME}(?: -> [^\]\n]*)?\]",
        ),
        ((": ok=",), rf"^{_NAME}[ \t]+: ok=\d+[ \t]+changed="),
        ((" | ",), rf"^{_NAME} \| (?:SUCCESS|CHANGED|FAILED|UNREACHABLE)\b"),
        # kubectl, where the head of the table was not copied, too
        (
            ("Ready  ", "Ready,"),
            rf"^[ \t]*{_NAME}[ \t]+(?:Not)?Ready(?:,SchedulingDisabled)?[ \t]+\S+[ \t]+\w+[ \t]+v\d+\.\d",
        ),
        (("<none>",), rf"[ \t]\d+/\d+[ \t][^\n]{{0,120}}[ \t]{_FOUR}[ \t]+{_NAME}[ \t]+<none>"),
        (
            ("1/1 ", "0/1 "),
            rf"(?:^|[ \t])(?:etcd|kube-apiserver|kube-controller-manager|kube-scheduler)-{_NAME}[ \t]+\d+/\d+[ \t]",
        ),
        (("Roles:",), rf"^Name:[ \t]+{_NAME}[ \t]*\r?\nRoles:"),
        # ping, traceroute, arp, ssh
        (("PING ", "ping "), rf"^PING {_NAME} ?\({_FOUR}\)"),
        (("bytes from",), rf"\bbytes from {_NAME} \("),
        (("traceroute to",), rf"\btraceroute to {_NAME} \("),
        ((")  ",), rf"^[ \t]{{0,3}}\d{{1,2}}[ \t]+{_NAME} \({_FOUR}\)[ \t]+[\d.]+ ms"),
        ((") at ",), rf"^{_NAME} \({_FOUR}\) at [0-9a-f]{{2}}:"),
        (("ether",), rf"^{_NAME}[ \t]+ether[ \t]+[0-9a-f]{{2}}:"),
        (("connect to host",), rf"\bconnect to host {_NAME} port"),
        (("resolve hostname",), rf"\bresolve hostname {_NAME}"),
        (("Connection to",), rf"\bConnection to {_NAME} closed"),
        (("Permanently added",), rf"\bPermanently added '{_NAME}"),
        # What programs and people call a field
        (("ostname",), rf"\b[Hh]ostname\\?\"[ \t]*:[ \t]*\\?\"{_NAME}\\?\""),
        (("ostname:",), rf"^[ \t]*[Hh]ostname:[ \t]*{_NAME}[ \t]*$"),
    )
)
_NODES = r"(?:no|nodes?)(?:\.v1)?"
_VERBS = ("get", "describe", "label", "annotate", "taint", "patch", "edit", "delete", "debug", "top", "replace")
# What was typed. Names that are words of everybody's are only taken from behind a prompt: this may be a sentence.
_TYPED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:cordon|uncordon|drain)[ \t]+{_OPTIONS}(?:{_NODES}[ /])?{_NAME}",
        (
            rf"\b(?:{'|'.join(_VERBS)})[ \t]+{_OPTIONS}"
            rf"{_NODES}(?:/|[ \t]+{_OPTIONS}){_NAME}((?:[ \t]+[A-Za-z0-9][\w.-]*(?=[ \t]|$)){{0,20}})"
        ),
        rf"\bssh[ \t]+(?:-[bcDEeFIiJLlmOopQRSWw][ \t]+\S+[ \t]+|-[\w=]+[ \t]+){{0,9}}(?:[\w.-]+@)?{_NAME}",
        rf"\b(?:scp|rsync|sftp)[ \t][^\n]{{0,300}}?(?:[\w.-]+@){_NAME}(?=:|[ \t]|$)",
        (
            r"\b(?:ping6?|traceroute6?|tracepath|mtr|arping)[ \t]+(?:-[\w=]+[ \t]+(?:[\d.]+[ \t]+)?){0,9}"
            rf"{_NAME}(?=[ \t;|&>]|$)"
        ),
        rf"\bset-hostname[ \t]+{_NAME}",
    )
)
# One of these is in every line with such a command.
_COMMANDS = (
    *("cordon ", "drain ", "ssh ", "scp ", "sftp ", "rsync ", "ping ", "ping6 ", "trace", "mtr ", "arping "),
    *("hostname", "uname -n", *(f"{verb} no" for verb in _VERBS)),
)
# Prompts without a user, or with a path behind the host; sh-5.1$ is that of a container.
_PROMPTS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?!(?:ba|da|k|z)?sh-\d)\[?{_NAME}(?::[~/][^\s$#%]{{0,100}}|[: ]~|\])[ \t]?[$#%](?=[ \t]|$)",
        rf"(?!(?:ba|da|k|z)?sh-\d)(?=[\w.]*[-\d]){_NAME}[$#] [a-z]",
        rf"[\w.-]{{1,32}}@{_NAME} [^\s$#%]{{1,100}} %(?=[ \t]|$)",
        # node:~> and user@node:~> of SUSE
        rf"(?:[\w.-]{{1,32}}@)?{_NAME}:[~/][\w./~-]{{0,100}}>(?=[ \t]|$)",
        # A router's or vtysh's; BIRD's own is nobody's name.
        rf"(?!bird>){_NAME}(?:\([\w-]{{1,40}}\))?[#>] ?show (?:bgp|ip|ipv6|run\w*|int\w*|version)\b",
    )
)
_MARKS = ("$ ", "# ", "% ", "> ", "$\n", "#\n", "%\n", ">\n", "#show ", ">show ")
_TELLS_ITS_NAME = re.compile(
    r"(?:sudo )?(?:hostname(?: -[fsA])?|uname -n|cat /etc/hostname|cat /var/lib/calico/nodename)$"
)
_ALONE = re.compile(rf"{_NAME}[ \t]*$")
# A table of hosts as of /etc/hosts: nothing but an address and names in a row, and localhost is among them.
_LOCALHOST = re.compile(r"(?m)^(?:127\.0\.0\.1|::1)[ \t]+(?:[\w.-]+[ \t]+)*localhost\b")
_HOSTS = re.compile(
    r"(?m)^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]*:[0-9a-fA-F:]+)((?:[ \t]+[A-Za-z][\w.-]*)+)[ \t]*(?:#.*)?$"
)
_GETENT = re.compile(r"(?:sudo )?(?:getent hosts|(?:cat|grep)\b.*/etc/hosts)\b")
# Words of the protocol, that every table of hosts has.
_OF_HOSTS = ("localhost", "ip6-", "broadcasthost")
_SENTENCE = re.compile(r"[A-Za-z]+$")


def names(text: str) -> Iterator[str]:
    """Yield what stands in such places, which may also be what everybody calls something."""
    for signs, pattern in _PRINTED:
        if any(sign in text for sign in signs):
            yield from pattern.findall(text)
    for row in _lines_with(f"{text}\n", _MARKS):
        for pattern in _PROMPTS:
            match = pattern.match(row)
            if match is not None:
                yield match.group(1)
    yield from _typed(text)
    yield from _of_hosts(text)


def _lines_with(text: str, signs: Iterable[str]) -> Iterator[str]:
    """Yield each line that holds one of the signs, with the one below it."""
    starts: set[int] = set()
    for sign in signs:
        at = text.find(sign)
        while at >= 0:
            starts.add(text.rfind("\n", 0, at) + 1)
            end = text.find("\n", at)
            at = text.find(sign, end + 1) if end >= 0 else -1
    for start in sorted(starts):
        end = text.find("\n", start)
        below = text.find("\n", end + 1) if end >= 0 else -1
        if (end if end >= 0 else len(text)) - start <= lines.LONGEST_LINE:
            yield text[start : below if below >= 0 else len(text)]


def _typed(text: str) -> Iterator[str]:
    for pair in _lines_with(text, _COMMANDS):
        row, _end, below = pair.partition("\n")
        command = lines.command(row)
        if command and _TELLS_ITS_NAME.match(command):
            alone = _ALONE.match(below)
            if alone is not None:
                yield alone.group(1)
        for pattern in _TYPED:
            for match in pattern.finditer(command or row):
                for name in (word for group in match.groups() if group for word in group.split()):
                    if command or not _SENTENCE.match(name):
                        yield name


def _of_hosts(text: str) -> Iterator[str]:
    if not ("localhost" in text and _LOCALHOST.search(text)):
        rows = (pair.partition("\n")[0] for pair in _lines_with(text, ("/hosts", "getent ")))
        if not any(_GETENT.match(lines.command(row) or row.lstrip("$# ")) for row in rows):
            return
    for found in _HOSTS.findall(text):
        for name in found.split():
            if not name.startswith(_OF_HOSTS):
                yield name
