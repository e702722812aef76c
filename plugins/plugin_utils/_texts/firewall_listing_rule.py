# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One rule of `iptables -L`, said as iptables-save says it."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_OPT = frozenset(("--", "-f", "!f"))
_EVERYWHERE = frozenset(("0.0.0.0/0", "::/0", "anywhere", "default"))
_ADDRESS = re.compile(r"!?(?:[0-9]+(?:\.[0-9]+){3}|[0-9a-fA-F]*:[0-9a-fA-F:.]*)(?:/[0-9a-fA-F:.]+)?\Z")
_COMMENT = re.compile(r"/\* (.*?) \*/")
_NAMES = (("FIN", 1), ("SYN", 2), ("RST", 4), ("PSH", 8), ("ACK", 16), ("URG", 32))
_NUMBERED = re.compile(r"!?[\d:,-]+\Z")
_COUNTER = re.compile(r"(\d{1,18})([KMGT]?)\Z")
_THOUSANDS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
# The name of a protocol that fills its column runs into the options: "ipencap--".
_GLUED = re.compile(r"(?<=[a-z0-9])(?=--\s)")
_NOT_SHOWN = "the interfaces, which are listed with -v only"


class Columns(NamedTuple):
    """Which columns a listing has beside target, protocol, options, source and destination."""

    numbers: bool
    counters: bool  # -v: packets, bytes, and both interfaces


class _Row(NamedTuple):
    target: str
    protocol: str
    fragment: str
    in_interface: str
    out_interface: str
    source: str
    destination: str
    rest: str


def guessed(line: str) -> Columns | None:
    """Return the columns by the look of a row, where the line that names them was cut off (by `| grep`)."""
    words = line.split(None, 4)
    numbers = next((place for place, word in enumerate(words) if not _COUNTER.match(word)), len(words))
    return Columns(numbers in (1, 3), numbers >= 2) if numbers in (1, 2, 3) else None


def counted(line: str, columns: Columns) -> str:
    """Return what a rule has met as iptables-save -c says it, "[41:2140] "; '' if the listing does not tell."""
    words = line.split(None, 3)[1 if columns.numbers else 0 :][:2] if columns.counters else []
    found = [_COUNTER.match(word) for word in words]
    if len(found) < 2 or None in found:
        return ""
    numbers = [int(one.group(1)) * _THOUSANDS[one.group(2)] for one in found if one is not None]
    return f"[{numbers[0]}:{numbers[1]}] "


def said(line: str, columns: Columns, family: str) -> str:
    """Return the rule behind "-A chain". Never raises; a line that is not understood can match, and do, anything."""
    line = _GLUED.sub(" ", line, count=1)
    row = _row(line, columns)
    if row is None:
        return f'-m listed {_quoted(line.strip())} -j "not understood"'
    words: list[str] = []
    for option, given in (("-s", row.source), ("-d", row.destination)):
        words += _address(option, given, family)
    for option, given in (("-i", row.in_interface), ("-o", row.out_interface)):
        words += [] if given in {"*", "+", "any", ""} else _negated(option, given)
    if row.protocol.lstrip("!") not in {"all", "0", ""}:
        words += _negated("-p", row.protocol)
    if row.fragment != "--" and row.fragment:
        words += ["!", "-f"] if row.fragment == "!f" else ["-f"]
    if not columns.counters:
        words += ["-m", "listed", _quoted(_NOT_SHOWN)]
    return " ".join([*words, *_rest(row.rest, row.target, row.protocol.lstrip("!"))])


def _row(line: str, columns: Columns) -> _Row | None:
    """Take a line's columns apart. An empty target and (IPv6) empty options leave no trace but a shift."""
    pieces = line.split(None, 11 if columns.counters else 7)
    if columns.numbers:
        pieces = pieces[1:]
    if columns.counters:
        pieces = pieces[2:]
    rest_from = 2 if columns.counters else 0
    if "" in pieces or len(pieces) < 3 + rest_from:
        return None
    opt = next((place for place in (1, 2) if pieces[place] in _OPT), 0)
    if opt:
        head, behind = pieces[:opt], opt + 1
        fragment = pieces[opt]
    else:
        # Without options the first address tells where the row stands.
        first = next((place for place, piece in enumerate(pieces) if _is_place(piece)), 0) - rest_from
        if first not in {1, 2}:
            return None
        head, behind, fragment = pieces[:first], first, ""
    target = head[0] if len(head) == 2 else ""
    ways = pieces[behind : behind + rest_from] or ["*", "*"]
    ends = pieces[behind + rest_from : behind + rest_from + 2]
    if len(ends) < 2 or len(ways) < 2:
        return None
    taken = behind + rest_from + 2 + columns.numbers + 2 * columns.counters
    left = line.split(None, taken)
    rest = left[taken] if len(left) > taken else ""
    return _Row(target, head[-1], fragment, ways[0], ways[1], ends[0], ends[1], rest)


def _is_place(word: str) -> bool:
    return word in _EVERYWHERE or bool(_ADDRESS.match(word))


def _negated(option: str, given: str) -> list[str]:
    return ["!", option, given[1:]] if given.startswith("!") else [option, given]


def _address(option: str, given: str, family: str) -> list[str]:
    if given in _EVERYWHERE:
        return []
    if not _ADDRESS.match(given):
        return ["-m", "listed", _quoted(f"{option} {given}")]
    full = "/128" if family == "ipv6" else "/32"
    return _negated(option, given if "/" in given else given + full)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# --- what stands behind the destination ---


def _rest(text: str, target: str, protocol: str) -> list[str]:
    words: list[str] = []
    options: list[str] = []
    goto = False
    comment = _COMMENT.search(text)
    if comment:
        words += ["-m", "comment", "--comment", _quoted(comment.group(1))]
        text = text[: comment.start()] + text[comment.end() :]
    unread: list[str] = []
    position = 0
    while position < len(text):
        if text[position] == " ":
            position += 1
            continue
        for pattern, translate in _PATTERNS:
            found = pattern.match(text, position)
            made = translate(found, protocol) if found else None
            if found and made is not None:
                goto = goto or found.group() == "[goto]"
                (options if made[:1] == ["-j"] else words).extend(made[1:] if made[:1] == ["-j"] else made)
                position = found.end()
                break
        else:
            word = text[position:].split(" ", 1)[0]
            unread.append(word)
            position += len(word)
    if unread:
        words += ["-m", "listed", _quoted(" ".join(unread)[:200])]
    return [*words, *(["-g" if goto else "-j", target, *options] if target else [])]


def _ports(found: re.Match[str], protocol: str) -> list[str] | None:
    side, given = found.group(1), found.group(2)
    module = {"6": "tcp", "17": "udp"}.get(protocol, protocol)
    negated = ["!"] if given.startswith("!") else []
    given = given.lstrip("!")
    if not _NUMBERED.match(given):
        try:
            given = str(socket.getservbyname(given))
        except OSError:
            return None
    return ["-m", module, *negated, "--dport" if side == "d" else "--sport", given]


def _flags(found: re.Match[str], _protocol: str) -> list[str]:
    mask, value = (
        ",".join(name for name, bit in _NAMES if int(given, 16) & bit) or "NONE" for given in found.groups()[1:]
    )
    return ["-m", "tcp", *(["!"] if found.group(1) else []), "--tcp-flags", mask, value]


def _plain(module: str, option: str) -> Callable[[re.Match[str], str], list[str] | None]:
    """A match of one option: the groups are what negates it, and its argument."""

    def made(found: re.Match[str], _protocol: str) -> list[str]:
        return ["-m", module, *(["!"] if any(found.groups()[:-1]) else []), option, found.groups()[-1]]

    return made


def _multiport(found: re.Match[str], _protocol: str) -> list[str]:
    side, negated, given = found.groups()
    return ["-m", "multiport", *(["!"] if negated else []), f"--{side}", given]


def _set(found: re.Match[str], _protocol: str) -> list[str]:
    negated, name, directions = found.groups()
    return ["-m", "set", *(["!"] if negated else []), "--match-set", name, directions]


def _address_type(found: re.Match[str], _protocol: str) -> list[str]:
    words = ["-m", "addrtype"]
    for option, negated, given in (("--src-type", *found.groups()[0:2]), ("--dst-type", *found.groups()[2:4])):
        if given:
            words += [*(["!"] if negated else []), option, given]
    limit = found.group(5)
    return [*words, *([f"--limit-iface-{limit}"] if limit else [])]


def _mark_target(found: re.Match[str], _protocol: str) -> list[str]:
    name, value = found.groups()
    option = {"set": "--set-xmark", "xset": "--set-xmark"}.get(name, f"--{name}-mark")
    return ["-j", option, value if name not in {"set", "xset"} or "/" in value else f"{value}/0xffffffff"]


def _original(found: re.Match[str], _protocol: str) -> list[str]:
    negated, option, value = found.groups()
    return ["-m", "conntrack", *(["!"] if negated else []), f"--{option}", value]


def _bridge_port(found: re.Match[str], _protocol: str) -> list[str]:
    return ["-m", "physdev", *found.group(1).split()]


def _masks(found: re.Match[str], _protocol: str) -> list[str]:
    """The mark that is copied is masked by one mask, the one it is copied to (with ~) by the other."""
    action, both, first, its_mask, other_mask = found.groups()
    if both:
        return ["-j", f"--{action}-mark", "--nfmask", both, "--ctmask", both]
    other = "ct" if first == "nf" else "nf"
    return ["-j", f"--{action}-mark", f"--{first}mask", its_mask, f"--{other}mask", other_mask]


def _packet_type(found: re.Match[str], _protocol: str) -> list[str]:
    return ["-m", "pkttype", *(["!"] if found.group(1) == "!=" else []), "--pkt-type", found.group(2)]


_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], str], list[str] | None]], ...] = tuple(
    (re.compile(pattern + r"(?= |\Z)"), made)
    for pattern, made in (
        (r"\[goto\]", lambda _found, _protocol: []),
        (r"(?:tcp|udp|sctp|dccp|udplite)", lambda _found, _protocol: []),
        (r"([ds])pts?:(\S+)", _ports),
        (r"flags:(!?)(0x[0-9A-Fa-f]{2})/(0x[0-9A-Fa-f]{2})", _flags),
        (r"multiport (dports|sports|ports) +(?:(!) ?)?(\S+)", _multiport),
        (r"(! )?state (\S+)", _plain("state", "--state")),
        (r"(! )?ctstate (\S+)", _plain("conntrack", "--ctstate")),
        (r"(! )?ctstatus (\S+)", _plain("conntrack", "--ctstatus")),
        (r"(! )?ctdir (\S+)", _plain("conntrack", "--ctdir")),
        (r"mark match +(! ?)?(0x[0-9a-f]+(?:/0x[0-9a-f]+)?)", _plain("mark", "--mark")),
        (r"(?:connmark|CONNMARK) match +(! ?)?(0x[0-9a-f]+(?:/0x[0-9a-f]+)?)", _plain("connmark", "--mark")),
        (
            r"ADDRTYPE match(?: src-type (!)?(\S+))?(?: dst-type (!)?(\S+))?(?: limit-(in|out))?",
            _address_type,
        ),
        (r"source IP range (!)? ?(\S+)", _plain("iprange", "--src-range")),
        (r"destination IP range (!)? ?(\S+)", _plain("iprange", "--dst-range")),
        (r"PKTTYPE (=|!=) (\S+)", _packet_type),
        (r"(! )?owner UID match (\d{1,10}(?:-\d{1,10})?)", _plain("owner", "--uid-owner")),
        (r"(! )?match-set (\S+) (\S+)", _set),
        (r"rpfilter(?: loose)?(?: validmark)?(?: accept-local)?", lambda _found, _protocol: ["-m", "rpfilter"]),
        (r"nfacct-name +\S+", lambda _found, _protocol: []),
        (r"reject-with (\S+)", lambda found, _protocol: ["-j", "--reject-with", found.group(1)]),
        (r"to:(\S+)", lambda found, _protocol: ["-j", "--to", found.group(1)]),
        (r"redir ports \S+", lambda _found, _protocol: ["-j"]),
        (r"(?:random(?:-fully)?|persistent)", lambda _found, _protocol: ["-j"]),
        (r"(?:CONN)?MARK (set|xset|and|or|xor) (0x[0-9a-f]+(?:/0x[0-9a-f]+)?)", _mark_target),
        (r"(! )?(ctproto|ctorigsrc|ctorigdst|ctorigsrcport|ctorigdstport) (\S+)", _original),
        (r"PHYSDEV match((?: (?:! )?--physdev-(?:is-(?:in|out|bridged)|(?:in|out) \S+))+)", _bridge_port),
        (
            r"CONNMARK (save|restore) (?:mask (0x[0-9a-f]+)|(nf|ct)mask (0x[0-9a-f]+) (?:nf|ct)mask ~(0x[0-9a-f]+))",
            _masks,
        ),
        (r"CONNMARK (save|restore)", lambda found, _protocol: ["-j", f"--{found.group(1)}-mark"]),
        (r"(?:CT notrack|NOTRACK)", lambda _found, _protocol: ["-j", "--notrack"]),
    )
)
