# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One line of iptables-save, `-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 179 -j DROP`, as a rule of the model.

Nothing is ever left out of a rule: an option that is not understood becomes an undecidable match, a target that is
not understood an unknown verdict. A rule is thereby never taken to match more, or less, than the kernel may think.
"""

from __future__ import annotations

import re

from .._numbers import is_whole
from . import iptables_target, model
from .iptables_target import UnreadableError, options_of, value_and_mask
from .model import Match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_ESCAPED = re.compile(r"\\(.)")
_UNSHOWN = "[unsupported"  # iptables-save prints "[unsupported revision]" where it cannot read a match of the kernel's
# Names as getprotobynumber and iptables itself print them.
_PROTOCOLS = {
    "all": 0,
    "ip": 0,
    "icmp": 1,
    "igmp": 2,
    "ipencap": 4,
    "ip-encap": 4,
    "ipv4": 4,  # Red Hat's name
    "tcp": 6,
    "udp": 17,
    "dccp": 33,
    "ipv6": 41,
    "gre": 47,
    "esp": 50,
    "ipsec-esp": 50,
    "ah": 51,
    "ipsec-ah": 51,
    "icmpv6": 58,
    "ipv6-icmp": 58,
    "ospf": 89,
    "ospfigp": 89,
    "ipip": 94,
    "pim": 103,
    "vrrp": 112,
    "l2tp": 115,
    "sctp": 132,
    "mh": 135,
    "mobility-header": 135,
    "udplite": 136,
}
_MOST_NAMES = 100
_TCP_FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32, "ALL": 63, "NONE": 0}
_PACKET_TYPES = {"unicast": "HOST", "broadcast": "BROADCAST", "multicast": "MULTICAST"}
_SHORT = {
    "--source": "-s",
    "--src": "-s",
    "--destination": "-d",
    "--dst": "-d",
    "--in-interface": "-i",
    "--out-interface": "-o",
    "--protocol": "-p",
    "--proto": "-p",
    "--fragment": "-f",
    "--match": "-m",
    "--jump": "-j",
    "--goto": "-g",
}
_ALWAYS = frozenset(("comment", "nfacct"))  # nfacct counts (kube-proxy uses it)
# Headers of IPv6 which ordinary packets do not carry; without them neither the match nor its opposite holds.
_NEVER = frozenset(("rt", "frag", "hbh", "dst", "mh"))
_SMALLEST_SEGMENT = 536  # that an ordinary host tells in the option of a SYN
_HEAD_OPTIONS = frozenset(("-s", "-d", "-i", "-o", "-p", "-f"))


def protocol_number(word: str) -> int:
    """Return the number of a protocol's name or number, 0 for "all", -1 for a name that nobody knows."""
    if is_whole(word):
        return int(word)
    found = _PROTOCOLS.get(word)
    return _looked_up(word) if found is None else found


def _looked_up(word: str) -> int:
    """Ask this host's own list of names, which takes the reading of a file: a few times, and no more."""
    if len(_PROTOCOLS) >= _MOST_NAMES:
        return -1
    import socket

    try:
        found = socket.getprotobyname(word)
    except (OSError, ValueError):
        found = -1
    _PROTOCOLS[word] = found
    return found


def translate(number: int, line: str, packets: int, table: model.Table) -> model.Rule:
    """Return the rule that `line` (without counters) says. Never raises."""
    matches: list[Match] = []
    target, goto, target_words = "", False, []
    for head, words in _segments(_tokens(line)[2:]):
        if head in {"-j", "-g"}:
            target, goto, target_words = (words[0] if words else ""), head == "-g", words[1:]
        elif head == "-m":
            matches.extend(_module_matches(words, table.family))
        else:
            matches.extend(_head_matches(words, table.family))
    effects, verdict, argument = iptables_target.translate(target, goto, target_words, table)
    return model.Rule(number, matches, effects, verdict, argument, line, packets)


def _tokens(line: str) -> list[str]:
    if '"' not in line:
        return line.split()
    return [
        word or _ESCAPED.sub(r"\1", quoted) if quoted or not word else word for quoted, word in _TOKEN.findall(line)
    ]


def _segments(tokens: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Cut a rule into ("", plain options), ("-m", a module and its options) … and ("-j", target and options)."""
    found: list[tuple[str, list[str]]] = [("", [])]
    negated: list[str] = []
    verbatim = False  # what follows --comment is text, even where it looks like an option
    for raw in tokens:
        if verbatim:
            verbatim = False
            continue
        verbatim = raw == "--comment"
        word = _SHORT.get(raw, raw)
        if word == "!":  # belongs to whatever option comes next, or (old iptables) to the argument that comes next
            negated = ["!"]
            continue
        if word in {"-m", "-j", "-g"}:
            found.append((word, []))
        elif word in _HEAD_OPTIONS and found[-1][0]:
            found.append(("", [*negated, word]))
        else:
            found[-1][1].extend([*negated, word])
        negated = []
    return found


def _undecidable(*words: str) -> Match:
    return Match("undecidable", False, " ".join(word for word in words if word))


# --- the options that need no module ---------------------------------------------------------------------------------


def _head_matches(words: Sequence[str], family: str) -> list[Match]:
    found: list[Match] = []
    for negated, option, arguments in options_of(words, lambda word: word.startswith("-")):
        # `-p tcp --dport 179` stands without its -m, as people write it
        module = "" if option in _HEAD_OPTIONS else "tcp"
        found.extend(_option_matches(module, negated, option, arguments, family))
    return found


def _address_match(kind: str, negated: bool, arguments: Sequence[str], family: str) -> Match:
    intervals = []
    for word in arguments[0].split(","):
        address, _slash, suffix = word.partition("/")
        parsed = model.address_number(address)
        if parsed is None or parsed[0] != family:
            raise UnreadableError(word)
        full = 32 if family == "ipv4" else 128
        if not suffix or is_whole(suffix):
            length = int(suffix) if suffix else full
            if length > full:
                raise UnreadableError(word)
            intervals.append(model.prefix_interval(parsed[1], length, family))
            continue
        mask = model.address_number(suffix)
        if mask is None or mask[0] != family or len(arguments[0].split(",")) > 1:
            raise UnreadableError(word)
        return Match(f"{kind}_bits", negated, (parsed[1] & mask[1], mask[1]))
    return Match(kind, negated, tuple(intervals))


def _interface_match(kind: str, negated: bool, arguments: Sequence[str]) -> Match:
    name = arguments[0]
    return Match(kind, negated, (name[:-1] + "*" if name.endswith("+") else name,))


def _protocol_match(negated: bool, arguments: Sequence[str]) -> Match:
    number = protocol_number(arguments[0])
    if number < 0:  # a protocol of some other name than these have everywhere
        group = (Match("protocol", True, (1, 6, 17, 58)), _undecidable("-p", arguments[0]))
        return Match("any_of", negated, (group,))
    return Match("always", negated, None) if number == 0 else Match("protocol", negated, (number,))


_HEAD: dict[str, Callable[[bool, Sequence[str], str], Match]] = {
    "-s": lambda negated, words, family: _address_match("source", negated, words, family),
    "-d": lambda negated, words, family: _address_match("destination", negated, words, family),
    "-i": lambda negated, words, _family: _interface_match("in_interface", negated, words),
    "-o": lambda negated, words, _family: _interface_match("out_interface", negated, words),
    "-p": lambda negated, words, _family: _protocol_match(negated, words),
    # -f holds for the second and later fragments, which an opening segment never is.
    "-f": lambda negated, _words, _family: Match("always", not negated, None),
}


# --- match modules ---------------------------------------------------------------------------------------------------


def _module_matches(words: Sequence[str], family: str) -> list[Match]:
    """Return what one `-m module …` demands."""
    module = words[0] if words else ""
    if module in _ALWAYS:
        return []
    if any(word.startswith(_UNSHOWN) for word in words):
        return [_undecidable(*words)]
    if module in _NEVER and family == "ipv6":
        return [Match("always", True, None)]
    if module == "physdev":
        options = options_of(words[1:], lambda word: word.startswith("--"))
        return [Match("bridge_port", negated, " ".join(words)) for negated, _option, _arguments in options]
    if module == "policy":
        return _policy(words[1:])
    if module == "rpfilter":
        return [Match("reverse_path", "--invert" in words, None)]
    found: list[Match] = []
    options = options_of(words[1:], lambda word: word.startswith("--"))
    if module == "addrtype" and any("limit-iface" in option for _negated, option, _arguments in options):
        module = "addrtype here"
        options = [option for option in options if "limit-iface" not in option[1]]
    if module not in _MODULES or "--return-nomatch" in words:  # which lets a set hold what it is said not to hold
        return [_undecidable(*words)]
    for negated, option, arguments in options:
        found.extend(_option_matches(module, negated, option, arguments, family))
    return found


def _policy(words: Sequence[str]) -> list[Match]:
    """Whether the packet is IPsec's, on its way in or out; other options ask only for more."""
    asked = dict(zip(words, words[1:]))
    if asked.get("--pol") == "none" and asked.get("--dir") in {"in", "out"} and len(words) == len(asked) + 1 == 4:
        return [Match("ipsec", True, None)]
    if asked.get("--pol") == "ipsec":
        more = [] if len(words) == len(asked) + 1 == 4 else [_undecidable("policy", *words)]
        return [Match("ipsec", False, None), *more]
    return [_undecidable("policy", *words)]


def _option_matches(module: str, negated: bool, option: str, arguments: Sequence[str], family: str) -> list[Match]:
    """Return what one option of a module (or, with module "", one that needs none) demands."""
    try:
        if not module:
            return [_HEAD[option](negated, arguments, family)]
        kind, value = _MODULES[module][option](arguments, family)
    except (UnreadableError, ValueError, IndexError, KeyError):
        return [_undecidable("!" if negated else "", module if option not in _HEAD_OPTIONS else "", option, *arguments)]
    return [] if kind == "counting" else [Match(kind, negated, value)]


def _ports(words: Sequence[str]) -> tuple[tuple[int, int], ...]:
    intervals = []
    for word in words[0].split(","):
        low, colon, high = word.partition(":")
        first = int(low or 0)
        last = int(high or 65535) if colon else first
        if not 0 <= first <= 65535 or not 0 <= last <= 65535:
            raise UnreadableError(word)
        intervals.append((first, last))
    return tuple(intervals)


def _flags(words: Sequence[str]) -> tuple[int, tuple[int, ...]]:
    mask, value = (sum(_TCP_FLAGS[name] for name in word.split(",")) for word in words[:2])
    return mask, (value,)


def _mark(words: Sequence[str]) -> tuple[int, tuple[tuple[int, int], ...]]:
    value, mask = value_and_mask(words[0])
    return mask, ((value, value),)


def _range(words: Sequence[str], family: str) -> tuple[tuple[int, int], ...]:
    low, _dash, high = words[0].partition("-")
    first, last = model.address_number(low), model.address_number(high or low)
    if first is None or last is None or first[0] != family or last[0] != family:
        raise UnreadableError(words[0])
    return ((first[1], last[1]),)


def _set(words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    if len(words) != 2:
        raise UnreadableError(" ".join(words))
    return words[0], tuple(words[1].split(","))


def _types(words: Sequence[str], family: str) -> tuple[str, ...]:
    names = tuple(words[0].split(","))
    if family == "ipv6" and len(names) > 1:
        # ip6tables demands all of the types at once, and UNICAST of it includes the host's own addresses.
        raise UnreadableError(words[0])
    return ("UNICAST", "LOCAL") if family == "ipv6" and names == ("UNICAST",) else names


def _status(words: Sequence[str]) -> tuple[str, ...]:
    names = tuple(words[0].upper().split(","))
    if "NONE" in names:
        raise UnreadableError(words[0])
    return names


def _original(kind: str) -> Callable[[Sequence[str], str], tuple[str, object]]:
    def made(words: Sequence[str], family: str) -> tuple[str, object]:
        value = _ports(words) if kind.endswith("port") else _address_match(kind, False, words, family)
        if isinstance(value, Match):
            if value.kind != kind:
                raise UnreadableError(words[0])
            value = value.value
        # The connection's first packet carries the addresses that conntrack keeps as the original ones.
        return f"ct_{kind}", value

    return made


def _users(words: Sequence[str]) -> tuple[int, int]:
    low, _dash, high = words[0].partition("-")
    return int(low), int(high or low)


def _small_segments(words: Sequence[str]) -> tuple[()]:
    """Nobody's segments are as small as those which rules throw out that know of attacks by them."""
    if int(words[0].rpartition(":")[2]) >= _SMALLEST_SEGMENT:
        raise UnreadableError(words[0])
    return ()


_MODULES: dict[str, dict[str, Callable[[Sequence[str], str], tuple[str, object]]]] = {
    "tcp": {
        "--sport": lambda words, _family: ("source_port", _ports(words)),
        "--source-port": lambda words, _family: ("source_port", _ports(words)),
        "--dport": lambda words, _family: ("destination_port", _ports(words)),
        "--destination-port": lambda words, _family: ("destination_port", _ports(words)),
        "--tcp-flags": lambda words, _family: ("tcp_flags", _flags(words)),
        "--syn": lambda _words, _family: ("tcp_flags", (23, (2,))),
    },
    "multiport": {
        "--sports": lambda words, _family: ("source_port", _ports(words)),
        "--source-ports": lambda words, _family: ("source_port", _ports(words)),
        "--dports": lambda words, _family: ("destination_port", _ports(words)),
        "--destination-ports": lambda words, _family: ("destination_port", _ports(words)),
        "--ports": lambda words, _family: ("any_port", _ports(words)),
    },
    "conntrack": {
        "--ctstate": lambda words, _family: ("ct_state", tuple(words[0].upper().split(","))),
        "--ctstatus": lambda words, _family: ("ct_status", _status(words)),
        "--ctdir": lambda words, _family: ("ct_direction", (words[0].upper(),)),
        "--ctproto": lambda words, _family: ("ct_protocol", (protocol_number(words[0]),)),
        "--ctorigsrc": _original("source"),
        "--ctorigdst": _original("destination"),
        "--ctorigsrcport": _original("source_port"),
        "--ctorigdstport": _original("destination_port"),
    },
    "state": {"--state": lambda words, _family: ("ct_state", tuple(words[0].upper().split(",")))},
    "mark": {"--mark": lambda words, _family: ("mark", _mark(words))},
    "connmark": {"--mark": lambda words, _family: ("ct_mark", _mark(words))},
    "addrtype": {
        "--src-type": lambda words, family: ("source_type", _types(words, family)),
        "--dst-type": lambda words, family: ("destination_type", _types(words, family)),
    },
    "addrtype here": {
        "--src-type": lambda words, family: ("source_type_here", _types(words, family)),
        "--dst-type": lambda words, family: ("destination_type_here", _types(words, family)),
    },
    "iprange": {
        "--src-range": lambda words, family: ("source", _range(words, family)),
        "--dst-range": lambda words, family: ("destination", _range(words, family)),
    },
    "pkttype": {"--pkt-type": lambda words, _family: ("packet_type", (_PACKET_TYPES[words[0]],))},
    "set": {
        "--match-set": lambda words, _family: ("set", _set(words)),
        "--set": lambda words, _family: ("set", _set(words)),  # before ipset 6
        "--update-counters": lambda _words, _family: ("counting", None),
        "--update-subcounters": lambda _words, _family: ("counting", None),
    },
}
_MODULES["owner"] = {"--uid-owner": lambda words, _family: ("uid", (_users(words),))}
_MODULES["tcpmss"] = {"--mss": lambda words, _family: ("any_of", _small_segments(words))}
_MODULES["udp"] = _MODULES["tcp"]
