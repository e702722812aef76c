# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The targets of iptables: what a rule does with a packet, as effects and a verdict of the model."""

from __future__ import annotations

from . import model
from .model import Effect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Option = tuple[bool, str, list[str]]

_ALL_BITS = 0xFFFFFFFF
_LONGEST_NUMBER = 24
# They let the packet pass on to the next rule and change nothing that a later match of this model looks at.
_PASSING = frozenset(
    (
        *("ACCOUNT", "AUDIT", "CHECKSUM", "CLASSIFY", "CONNSECMARK", "DSCP", "ECN", "HL", "IDLETIMER", "LED", "LOG"),
        *("NFLOG", "RATEEST", "SECMARK", "TCPMSS", "TCPOPTSTRIP", "TEE", "TOS", "TRACE", "TTL", "ULOG"),
    )
)
_SET_OPTIONS = frozenset(("--add-set", "--del-set", "--map-set"))
_DESTINATION_REWRITERS = frozenset(("DNAT", "REDIRECT", "DNPT"))
_SOURCE_REWRITERS = frozenset(("SNAT", "MASQUERADE", "SNPT", "SAME"))
_PLAIN = {"": model.CONTINUE, "ACCEPT": model.ACCEPT, "DROP": model.DROP, "RETURN": model.RETURN}


class UnreadableError(ValueError):
    """The words of an option are not what they should be; the match they belong to is undecidable."""


def options_of(words: Sequence[str], is_option: Callable[[str], bool]) -> list[Option]:
    """Return (negated, option, arguments) of each option in `words`."""
    found: list[Option] = []
    negated = False
    for word in words:
        if word == "!":
            negated = True
        elif is_option(word):
            found.append((negated, word, []))
            negated = False
        elif found:
            earlier, option, arguments = found[-1]
            found[-1] = (earlier or negated, option, [*arguments, word])
            negated = False
        else:
            found.append((negated, "", [word]))
            negated = False
    return found


def value_and_mask(word: str) -> tuple[int, int]:
    """Return the two numbers of "0x1/0xff"; without a mask all bits count."""
    value, slash, mask = word.partition("/")
    return _bits(value), _bits(mask) if slash else _ALL_BITS


def _bits(word: str) -> int:
    """Return a mark or mask; UnreadableError for what is none: negative, or of more than 32 bits."""
    number = int(word, 0) if len(word) <= _LONGEST_NUMBER else -1
    if not 0 <= number <= _ALL_BITS:
        raise UnreadableError(word[:_LONGEST_NUMBER])
    return number


def translate(target: str, goto: bool, words: Sequence[str], table: model.Table) -> tuple[Sequence[Effect], str, str]:
    """Return (effects, verdict, argument) of a rule's target."""
    if target in _PLAIN:
        return (), _PLAIN[target], ""
    if target in table.chains:
        return (), model.GOTO if goto else model.JUMP, target
    if target == "REJECT":
        given = words[words.index("--reject-with") + 1 :] if "--reject-with" in words else []
        default = "icmp6-port-unreachable" if table.family == "ipv6" else "icmp-port-unreachable"
        return (), model.REJECT, given[0] if given else default
    if target in _PASSING:
        return (), model.CONTINUE, ""
    if target in _EFFECTS and (target != "SET" or _SET_OPTIONS.intersection(words)):
        return _EFFECTS[target](words), model.CONTINUE, ""
    if target in _SOURCE_REWRITERS:
        return (), model.REWRITE_SOURCE, "" if target == "MASQUERADE" else _new_source(words)
    return (), model.UNKNOWN, _why_unknown(target, words)


def _why_unknown(target: str, words: Sequence[str]) -> str:
    if target in _DESTINATION_REWRITERS:
        to = " ".join(word for word in words if not word.startswith("-"))
        return f"the destination is rewritten ({target}{' to ' + to if to else ''})"
    if target in {"NFQUEUE", "QUEUE"}:
        return f"the packet is handed to a program ({target})"
    if target == "TPROXY":
        return "the packet is handed to a local program (TPROXY)"
    if target == "SET":
        return "it is not told which set is changed (SET)"
    return f"the effect of the target {target} is not known"


def _new_source(words: Sequence[str]) -> str:
    """Return the address or addresses that SNAT puts in, without ports; "?" where it does not say."""
    given = [word for option, word in zip(words, words[1:]) if option in {"--to-source", "--to"}]
    if len(given) != 1:
        return "?"
    if given[0].startswith("["):
        return given[0][1:].partition("]")[0]
    return given[0] if given[0].count(":") > 1 else given[0].partition(":")[0] or "?"


def _mark_effects(kind: str) -> Callable[[Sequence[str]], Sequence[Effect]]:
    def effects(words: Sequence[str]) -> Sequence[Effect]:
        options = {
            option: arguments for _negated, option, arguments in options_of(words, lambda word: word[:2] == "--")
        }
        try:
            return (_mark_effect(kind, options),)
        except (UnreadableError, ValueError, IndexError):
            return (Effect("forget_mark", None),)

    return effects


def _mark_effect(kind: str, options: dict[str, list[str]]) -> Effect:
    def mask_of(option: str) -> int:
        words = options.get(option) or options.get("--mask")
        return _bits(words[0]) if words else _ALL_BITS

    for option, arguments in options.items():
        if option == "--set-xmark":
            value, mask = value_and_mask(arguments[0])
            return Effect(kind, (_ALL_BITS & ~mask, value))
        if option == "--set-mark":
            value, mask = value_and_mask(arguments[0])
            return Effect(kind, (_ALL_BITS & ~(mask | value), value))
        if option in {"--and-mark", "--or-mark", "--xor-mark"}:
            bits = _bits(arguments[0])
            keep, flip = {"--and-mark": (bits, 0), "--or-mark": (_ALL_BITS & ~bits, bits)}.get(
                option, (_ALL_BITS, bits)
            )
            return Effect(kind, (keep, flip))
        if option in {"--save-mark", "--restore-mark"}:
            return Effect(option[2:].replace("-", "_"), (mask_of("--ctmask"), mask_of("--nfmask")))
    raise UnreadableError(" ".join(options))


def _set_effects(words: Sequence[str]) -> Sequence[Effect]:
    found = []
    for option, name in zip(words, words[1:]):
        if option in {"--add-set", "--del-set"}:
            found.append(Effect("set_grows" if option == "--add-set" else "set_shrinks", name))
        elif option == "--map-set":
            found.append(Effect("forget_mark", None))
    return found


_EFFECTS: dict[str, Callable[[Sequence[str]], Sequence[Effect]]] = {
    "MARK": _mark_effects("mark"),
    "CONNMARK": _mark_effects("ct_mark"),
    "SET": _set_effects,
    "HMARK": lambda _words: (Effect("forget_mark", None),),
    "CT": lambda words: (Effect("untrack", None),) if "--notrack" in words else (),
    "NOTRACK": lambda _words: (Effect("untrack", None),),
}
