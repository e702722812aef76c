# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rule in a file that is loaded when the host starts: iptables-save's format, or nft's language."""

from __future__ import annotations

from . import files, iptables_text, nft_rules, saved_text
from .model import ABSENT, PRESENT, Kind, RefusedError, lines_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import State
    from .saved_text import Place

_FAMILIES = {"ipv4": "ip", "ipv6": "ip6"}


class SavedRule(Kind):
    """The state: `rules`, [position, line, the rule that follows] of each rule of the file that is the one meant."""

    name = "saved_rule"
    required = ("path", "chain", "rule")
    optional = {"family": "", "table": "filter", "position": 1, "comment": "", "state": PRESENT}  # noqa: RUF012
    cuts_off = False

    @property
    def subject(self) -> str:
        family = f"{self.options['family']} " if self.options["family"] else ""
        return f"{self.options['path']} {family}{self.options['table']} {self.options['chain']} {self._rule()}"

    def preflight(self) -> None:
        text = self._text()
        if saved_text.is_nft(text):
            if not self.options["family"] or (self.options["state"] == PRESENT and not self.options["comment"]):
                raise RefusedError(f"{self.subject}: a rule in a file of nft needs a family and a comment")
        elif self.options["family"]:
            raise RefusedError(f"{self.subject}: a family belongs to files of nft, and this is one of iptables-save")
        place = self._place(text)
        if not 0 <= self.options["position"] <= len(place.rules) + 1:
            raise RefusedError(f"{self.options['path']}: {self.options['chain']} has {len(place.rules)} rules only")
        self.writable()

    def writable(self) -> None:
        files.check_writable(self.options["path"], len(self._text()) + 1024)

    def read(self) -> State:
        found = files.read(self.options["path"])
        if found is None:
            return {"rules": []}
        text = _decoded(found.content)
        try:
            place = self._place(text)
        except RefusedError:
            return {"rules": []}
        lines = text.split("\n")
        rules = []
        for number in self._meant(text, place):
            position = place.rules.index(number) + 1
            following = lines[place.rules[position]] if position < len(place.rules) else ""
            rules.append([position, lines[number].rstrip("\r"), following.rstrip("\r")])
        return {"rules": rules}

    def plan(self, before: State) -> State:
        if self.options["state"] == ABSENT:
            return {"rules": []} if before["rules"] else before
        if before["rules"]:
            return before
        indent = self._place(self._text()).indent
        return {"rules": [[self.options["position"], indent + self._rule(), ""]]}

    def write(self, now: State, wanted: State) -> None:
        found = files.read(self.options["path"])
        if found is None:
            raise RefusedError(f"there is no {self.options['path']} any more")
        text = _decoded(found.content)
        surplus = len(now["rules"]) - len(wanted["rules"])
        if surplus > 0:
            for number in reversed(self._meant(text, self._place(text))[-surplus:]):
                text = saved_text.remove(text, number)
        for position, line, following in wanted["rules"][len(now["rules"]) :]:
            text = saved_text.insert(text, self._line_number(text, position, following), line)
        content = text.encode("utf-8", "surrogateescape")
        files.replace(self.options["path"], content, found.mode, found.uid, found.gid)

    def same(self, one: State, other: State) -> bool:
        return len(one["rules"]) == len(other["rules"])

    def shown(self, state: State) -> str:
        return lines_of([f"{self.options['path']}: {line.strip()}" for _position, line, _following in state["rules"]])

    def _rule(self) -> str:
        rule, comment = self.options["rule"], self.options["comment"]
        if self.options["family"]:
            return nft_rules.commented(rule, comment) if comment else str(rule)
        return iptables_text.line_of(
            self.options["chain"], iptables_text.with_modules(iptables_text.words_of(rule, comment))
        )

    def _text(self) -> str:
        found = files.read(self.options["path"])
        if found is None:
            raise RefusedError(f"there is no {self.options['path']} on this host")
        return _decoded(found.content)

    def _place(self, text: str) -> Place:
        table, chain = self.options["table"], self.options["chain"]
        try:
            if self.options["family"]:
                family = _FAMILIES.get(self.options["family"], self.options["family"])
                return saved_text.of_nft(text, family, table, chain)
            return saved_text.of_iptables(text, table, chain)
        except RefusedError as error:
            raise RefusedError(f"{self.options['path']}: {error}") from None

    def _meant(self, text: str, place: Place) -> list[int]:
        if self.options["family"]:
            rule, comment, family = (self.options[name] for name in ("rule", "comment", "family"))
            return saved_text.like_nft(text, place, rule, comment, family)
        # The file's name alone tells the family, and rules of both may be compared as either.
        family = "ipv6" if "6" in self.options["path"].rpartition("/")[2] else "ipv4"
        return saved_text.like_iptables(text, place, self._rule(), family)

    def _line_number(self, text: str, position: int, following: str) -> int:
        place = self._place(text)
        own = [text.split("\n")[number].rstrip("\r") for number in place.rules]
        if following and own.count(following) == 1:
            return place.rules[own.index(following)]
        if not position or position > len(own):
            return place.end
        return place.rules[position - 1]


def _decoded(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")
