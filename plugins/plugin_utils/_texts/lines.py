# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts as people keep them: copied from terminals, web pages and chats. Here they become the lines a program
printed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# No program that is read here prints longer ones; every pattern's cost on a line is bounded by this.
LONGEST_LINE = 16_384
_DEEPEST_INDENT = 64
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-9;:?]{0,32}[ -/]?[@-~]|\][^\x07\x1b]{0,256}(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>78McDEHZ])"
)
_FENCE = re.compile(r"\s{0,16}(?:```|~~~)[\w.+-]{0,32}\s*$")
# What is typed after a bare "$" or "#" is taken for a command only if it begins with one of these.
_PROGRAMS = (
    r"(?:sudo|ip6?|ip-?6?tables(?:-(?:legacy|nft))?(?:-save)?|nft|ipset|ss|netstat|sysctl|cat|lsmod|ps|uname|chronyc|ntpq"
    r"|timedatectl|calicoctl|birdc6?|birdcl6?|kubectl|k|oc|microk8s(?:\.kubectl)?|k3s|crictl|docker|podman|ctr|tcpdump"
    r"|ufw|firewall-cmd|arp|busybox|journalctl|nsenter|grep|head|tail|nstat|hostnamectl|ssh"
    r"|dmesg|ping6?|traceroute6?|tracepath6?|mtr|curl|wget|nc|ncat|netcat|telnet|nslookup|dig|ifconfig|iwconfig|ethtool"
    r"|bridge|conntrack|wg|lsof|systemctl|hostname|modprobe|modinfo|networkctl|nmcli|resolvectl|getenforce|sestatus|sv"
    r"|etcdctl|helm|nmap|iperf3?|egrep|zgrep|zcat|ls|openssl|netplan|uptime"
    # words that comments begin with, too
    r"|route(?= -|\s*$)|host(?= -| \S{1,253}\.\S)|date(?=\s*$))(?![\w:])"
)
# Variables for one command, and the folder that the program is in, as ./calicoctl and /sbin/ip have it.
_BEFORE = r"(?:[A-Z_][A-Z0-9_]{1,40}=[^\s=]{0,200} ){0,6}(?:(?:\.{1,2}|~)?/(?:[\w.~-]{1,30}/){0,8})?"
_MARKS = frozenset("$#%>+*")
_PROMPT = re.compile(
    r"\s{0,16}(?:(?:\([^()]{1,40}\) )?(?:"
    r"\[[\w.-]{1,64}@[\w.-]{1,64}[^\]\[]{0,200}\][$#%]"  # [root@node ~]#
    r"|[\w.-]{1,64}@[\w.-]{1,64}:[^$#\n]{0,200}[$#]"  # user@node:~$
    r"|[\w.-]{1,64}@[\w.-]{1,64} [^$#\n]{0,200}[$#%]"  # user@node ~ %
    r"|(?:ba|z|k|da|a)?sh-\d[\w.]{0,15}[$#%](?=\s|$)"  # bash-5.1$ and sh-4.4#, as a container's shell has it
    r"|[\w.-]{1,64}:[\w./~-]{1,100}(?: [\w.-]{1,40})?[$#%] ?(?=(?:[\w.~-]{0,20}/){0,6}"  # node:~# and node:folder user$
    + _PROGRAMS
    + r")"
    r"|[\w./~-]{0,64} ?[$#%] ?(?="
    + _BEFORE
    + _PROGRAMS
    + r")|(?:[\w.-]{1,64}@)?[\w.-]{1,64}:[~/][\w./~-]{0,100}(?:>| #) (?="  # node:~ # and user@node:~> of SUSE
    + _PROGRAMS
    + r")|bird6?>)\s*(?P<command>.*)|\+{1,3} (?P<traced>"
    + _PROGRAMS
    + r".*)|\*\*(?P<bold>"  # **ip route**, as headings in markdown are
    + _PROGRAMS
    + r"[^*]*)\*\*:?)$"
)


def plain(text: str) -> str:
    """Return the text without a byte order mark, terminal colours, carriage returns and NULs; line numbers stay."""
    text = text.removeprefix("\ufeff")
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    return text.replace("\r\n", "\n").replace("\r", "").replace("\0", "")


def command(line: str) -> str | None:
    """Return what was typed if the line is a shell's prompt with its command ('' after a bare one), else None."""
    if len(line) > LONGEST_LINE or not _MARKS.intersection(line):
        return None
    match = _PROMPT.match(line)
    return None if match is None else next(filter(None, match.groups()), "").strip()


def numbered(text: str, longest: int = LONGEST_LINE) -> Iterator[tuple[int, str]]:
    """Yield the number (from 1) and text of each line that a program printed.

    Left out are prompts with commands and fences of markdown; dropped is the indentation that all lines share, if it
    is that of quoted code (four columns or a tab). Lines beyond `longest` are cut: 0 means not at all, for JSON.
    """
    rows = plain(text).split("\n")
    margin = _margin(rows)
    for number, row in enumerate(rows, 1):
        line = row[: longest or len(row)].rstrip()
        if _FENCE.match(line[:64]) or command(line) is not None:
            continue
        yield number, line[margin:]


def printed(text: str, longest: int = LONGEST_LINE) -> str:
    """Return the text as a program printed it (see numbered); a line that was left out is empty, so numbers stay."""
    rows: list[str] = []
    for number, line in numbered(text, longest):
        rows += [""] * (number - 1 - len(rows))
        rows.append(line)
    return "\n".join(rows)


def commands(text: str, most: int = 8) -> list[str]:
    """Return the commands that stand after prompts, the first `most` of them."""
    found: list[str] = []
    for row in plain(text[: 64 * LONGEST_LINE]).split("\n"):
        typed = command(row[:LONGEST_LINE].rstrip())
        if typed:
            found.append(typed)
            if len(found) == most:
                break
    return found


def load_json(text: str) -> tuple[Any, str]:
    """Return the value of the JSON in a text and '', or None and why there is none. Text before it (a prompt) is
    passed over."""
    body = printed(text, 0) if text.lstrip("\ufeff \t\r\n")[:1] not in ("{", "[") else plain(text)
    starts = [at for at in (body.find("["), body.find("{")) if at >= 0]
    if not starts:
        return None, "no JSON here"
    try:
        return json.loads(body[min(starts) :].strip(), parse_int=_integer, parse_constant=lambda _name: None), ""
    except (ValueError, RecursionError) as error:
        return None, f"not readable as JSON ({str(error)[:80]})"


def is_json(text: str) -> bool:
    """Say whether the first thing a program printed here begins like JSON."""
    for _number, line in numbered(text[: 4 * LONGEST_LINE]):
        if line.strip():
            # what logs begin with is in brackets, too: "[ 1423.035722] ", "[INFO] "
            return re.match(r'\s*(?:\{|\[\s*(?:[\[\]{"]|$))', line) is not None
    return False


def _integer(digits: str) -> int:
    """Python reads numbers of thousands of digits in quadratic time; none that is meant has more than 64 bits."""
    return int(digits) if len(digits) <= 20 else 0


def _margin(rows: list[str]) -> int:
    """Return by how many columns all printed lines are indented: 0 unless that looks like quoted code."""
    least = _DEEPEST_INDENT
    for row in rows:
        body = row[:_DEEPEST_INDENT]
        stripped = body.lstrip(" \t")
        if not stripped or _FENCE.match(row[:64]) or command(row[:LONGEST_LINE]) is not None:
            continue
        indent = body[: len(body) - len(stripped)]
        if indent[:1] == "\t":
            least = min(least, 1)
        else:
            least = min(least, len(indent) - len(indent) % 4 if len(indent) >= 4 else 0)
        if not least:
            return 0
    return least if least < _DEEPEST_INDENT else 0
