# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One word of a text or of a value: an address, a name, a domain, an identifier, or nothing that matters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import keyed as kinds
from . import schemes, vocabulary

if TYPE_CHECKING:
    from .keyed import Keyed
    from .learn import Names
    from .spelling import Speller

# Backslashes with what they stand for come first: in "\n10.0.0.1" the address does not begin with an n.
_REST = (
    r"[0-9A-Za-z:](?:[0-9A-Za-z._:-]*[0-9A-Za-z:])?"
    r"(?:@[0-9A-Za-z](?:[0-9A-Za-z._-]*[0-9A-Za-z])?)?(?:/\d(?:[\d.]*\d)?)?"
)
_ESCAPED = r"\\u[0-9A-Fa-f]{4}|\\.|"
WORD = re.compile(_ESCAPED + _REST)
# The same without words of letters only: most of a log, and of no interest where no node is called so.
FAST_WORD = re.compile(
    _ESCAPED + r"(?:(?<![0-9A-Za-z])|(?<=\\[A-Za-z])|(?<=\\u[0-9A-Fa-f]{4}))(?=[A-Za-z]*[0-9._:@-])" + _REST
)
_MASKED = re.compile(r"(.*)/(\d[\d.]*)$", re.DOTALL)
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_LONG_HEX = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{32,}(?![0-9A-Za-z])")
_CLOUD = re.compile(
    r"(?<![0-9A-Za-z])((?:i|vpc|subnet|eni|sg|ami|vol|igw|nat|rtb|acl|snap|lt|eipalloc|eipassoc|fs|tgw|pcx|vpce|r)-)"
    r"([0-9a-f]{17}|[0-9a-f]{8})(?![0-9A-Za-z])"
)
_ACCOUNT = re.compile(r"(?<!\d)(\d{12})(?=[:.]|$)")
_MOMENT = re.compile(
    r"(?:\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?|\d+:\d\d(?::\d\d(?:\.\d+)?)?|\d+(?:\.\d+)?)$"
)
_SEGMENT = re.compile(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*")
_SPLIT = re.compile(r"([-._:])")
_MOST_PARTS = 40
_MOST_KNOWN = 50_000


class Words:
    """Replaces words, each in the same way wherever it stands."""

    def __init__(self, keyed: Keyed, names: Names, speller: Speller) -> None:
        self._keyed, self._names, self._speller = keyed, names, speller
        self._first = {_SPLIT.split(name)[0] for name in names.strict}
        self._longest = max((len(_SPLIT.split(name)) for name in names.strict), default=0)
        self._known: dict[str, str] = {}
        self.schemes = schemes.Schemes(names.strict)
        of_letters = self.schemes.of_letters or any(name.isalpha() for name in names.strict)
        self.pattern = WORD if of_letters else FAST_WORD
        # Names that were made and are somebody's, too.
        self.made: set[str] = set()

    def __call__(self, word: str) -> str:
        """Return what a word that WORD matches becomes."""
        known = self._known.get(word)
        if known is None:
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            known = self._known[word] = self._replaced(word)
        return known

    def _replaced(self, word: str) -> str:
        if not word or word[0] == "\\" or len(word) > 2000:
            return word
        match = _MASKED.match(word)
        if match is not None:
            return self._with_mask(*match.groups())
        made = self._whole(word)
        if made != word:
            # Of these alone a look for leaks could think that they were forgotten.
            self.made.update(self._names.strict.intersection(made.lower().split("@")))
        return made

    def _with_mask(self, address: str, mask: str) -> str:
        length = int(mask) if mask.isdigit() else _length_of(mask)
        made = None
        if length is not None and length <= 128:
            made = self._speller.word(address, length) or self._speller.short_prefix(address, length)
        if made is None:
            made = self(address)
            mask = mask if length is not None else self(mask)
        return f"{made}/{mask}"

    def _whole(self, word: str) -> str:
        if word.isalpha():
            return self._name(word) if word.lower() in self._names.strict else self._otherwise(word)
        if word.isdigit():
            return self._speller.rare.number(word) or word
        local, sign, rest = word.partition("@")
        if sign:
            return self._mail(local, rest)
        made = self._speller.word(word)
        if made is not None or _MOMENT.match(word):
            return word if made is None else made
        return self._compound(word)

    def _compound(self, word: str) -> str:
        stripped = word.rstrip(":-.")
        if stripped != word:
            return self(stripped) + word[len(stripped) :] if stripped else word
        if word[0] == ":":
            return ":" + self(word[1:]) if len(word) > 1 and word[1] != ":" else word
        if ":" in word:
            head, _colon, rest = word.partition(":")
            made = self._speller.word(rest)
            return f"{self(head)}:{':'.join(map(self._part, rest.split(':'))) if made is None else made}"
        word = _CLOUD.sub(lambda found: found.group(1) + self._keyed.hexadecimal(found.group(2)), word)
        word = _UUID.sub(lambda found: self._keyed.hexadecimal(found.group()), word)
        word = _LONG_HEX.sub(lambda found: self._keyed.hexadecimal(found.group()), word)
        return self._named(word)

    def _part(self, word: str) -> str:
        return self(word) if word else word

    def _named(self, word: str) -> str:
        """Replace names in a word, then what is left of a domain, then addresses in names."""
        domain = self._speller.rare.literal(word) or self._domain(word)
        if domain is not None:
            return domain
        made = self._parts(word)
        return self._otherwise(word) if made == word else made

    def _otherwise(self, word: str) -> str:
        """Replace names that are written otherwise, and what looks like another name of the same kind."""
        return _SEGMENT.sub(self._segment, word) if self.schemes else word

    def _segment(self, match: re.Match[str]) -> str:
        word = match.group()
        made, found = "", self.schemes.find(word)
        if found is None and self.schemes.is_like(word):
            return self._name(word)
        while found is not None:
            start, end, name = found
            made += word[:start] + schemes.spelled(self._name(name), word[start:end])
            word = word[end:]
            found = self.schemes.find(word)
        return made + word

    def _parts(self, word: str) -> str:
        """Replace names in a word, and addresses in what is between them."""
        parts = _SPLIT.split(word)
        if not self._longest or len(parts) > _MOST_PARTS:
            return self._speller.joined(word)
        made: list[str] = []
        at = left = 0
        while at < len(parts):
            end = self._end_of_name(parts, at)
            if end:
                made += (self._speller.joined("".join(parts[left:at])), self._name("".join(parts[at:end])))
                at = left = end
            else:
                at += 1
        return "".join((*made, self._speller.joined("".join(parts[left:]))))

    def _end_of_name(self, parts: list[str], at: int) -> int:
        """Return where the longest name that begins here ends, 0 if none does."""
        if at % 2 or parts[at].lower() not in self._first:
            return self._static(parts, at)
        if at > 1 and parts[at - 2].lower() == "calico" and parts[at].lower() == "node":
            return 0
        for end in range(min(len(parts), at + self._longest), at, -1):
            if "".join(parts[at:end]).lower() in self._names.strict:
                return end
        return self._static(parts, at)

    def _static(self, parts: list[str], at: int) -> int:
        """A static pod is called after its node, even if that is called as many others are."""
        if not at or "".join(parts[: at - 1]) not in vocabulary.STATIC_PODS:
            return 0
        return len(parts) if "".join(parts[at:]) in self._names.common else 0

    def _domain(self, word: str) -> str | None:
        labels = word.lower().split(".")
        if len(labels) < 2 or not all(labels) or any("_" in label for label in labels):
            return None
        suffixes = [".".join(labels[at:]) for at in range(len(labels))]
        if any(suffix in vocabulary.PUBLIC for suffix in suffixes):
            return None
        provider = next((one for one in vocabulary.PROVIDERS if word.lower().endswith(f".{one}")), "")
        learnt = any(suffix in self._names.domains for suffix in suffixes)
        if not (provider or learnt or suffixes[0] in self._names.strict or _is_domain(word, labels)):
            return None
        return self.host(word, provider)

    def host(self, word: str, provider: str = "") -> str:
        """Return what a host with its domain becomes: the same host name as without."""
        short, _dot, domain = word.partition(".")
        if provider and domain.lower() == provider:
            return f"{self._label(short)}.{domain}"
        return f"{self._label(short)}.{self._zone(domain, provider)}" if domain else self._label(short)

    def _label(self, label: str) -> str:
        if label.lower() in self._names.strict or label in self._names.common:
            return self._name(label)
        made = self._speller.joined(label)
        if made != label or label.lower() in ("www", "api", "ntp", "dns", "ns1", "ns2", "registry"):
            return made
        return self._keyed.name(kinds.HOST, label)

    def _zone(self, domain: str, provider: str) -> str:
        """Replace the labels of a domain, each by what it is below; a provider's own labels stay."""
        labels = domain.split(".")
        own = provider.count(".") + 1 if provider else 0
        made: list[str] = []
        for at, label in enumerate(labels):
            below = ".".join(labels[at:]).lower()
            if len(labels) - at <= own or (provider and (label.lower() in vocabulary.PLACES or _is_region(label))):
                made.append(label)
            elif at == len(labels) - 1 and len(labels) > 1:
                made.append("example")
            else:
                made.append(f"{kinds.DOMAIN}-{self._keyed.letters(kinds.DOMAIN, below, 6)}")
        return ".".join(made) if provider or len(labels) > 1 else f"{made[0]}"

    def _mail(self, local: str, rest: str) -> str:
        labels = rest.lower().split(".")
        # What a shell's prompt says of a host with its domain looks like an address of mail.
        known = rest.lower() in self._names.strict
        if known or local == vocabulary.CUT or len(labels) < 2 or not _is_domain(rest, labels):
            return f"{self(local)}@{self(rest)}"
        return f"{self._keyed.name(kinds.MAIL, local)}@{self._zone(rest, '')}"

    def _name(self, name: str) -> str:
        """Return what a node's or a host's name becomes."""
        short, dot, _domain = name.partition(".")
        if dot:
            made = self.host(name, next((one for one in vocabulary.PROVIDERS if name.lower().endswith(f".{one}")), ""))
        else:
            made = self._speller.joined(short)
            if made == short or not made.lower().startswith("ip-"):
                made = self._keyed.name(kinds.HOST, short)
        self.made.update(self._names.strict.intersection((made.lower(),)))
        return made

    def named(self, name: str) -> str:
        """Return what a name becomes where it is known to be a node's, also one that others use as a word."""
        return self._name(name) if name in self._names.common else self(name)


def _is_domain(word: str, labels: list[str]) -> bool:
    top = labels[-1]
    if top not in vocabulary.TOPS or not word[0].isalnum() or word != word.lower() or labels[0].isdigit():
        return False
    if top in vocabulary.DOUBTFUL_TOPS and len(labels) < 3:
        return False
    return all(len(label) > 1 or label.isalnum() for label in labels) and labels[0] not in (
        "net",
        "spec",
        "status",
        "metadata",
        "kernel",
    )


def _is_region(label: str) -> bool:
    return bool(re.match(r"[a-z]{2,}(?:-[a-z]+)+-?\d?[a-f]?$", label))


def _length_of(mask: str) -> int | None:
    """Return the length that a netmask stands for, None if it is none."""
    parts = mask.split(".")
    if len(parts) != 4 or not all(part.isdigit() and int(part) < 256 for part in parts):
        return None
    bits = "".join(f"{int(part):08b}" for part in parts)
    return bits.count("1") if "01" not in bits else None
