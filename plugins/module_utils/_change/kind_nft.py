# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rule of nftables in the kernel, in a chain that is not iptables'."""

from __future__ import annotations

import re

from . import nft_rules, tools
from .model import ABSENT, PRESENT, Kind, RefusedError, lines_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._firewall.counterfactual import Addition
    from .model import State
    from .nft_rules import Listed

_NAME = re.compile(r"[A-Za-z0-9_./\\-]{1,128}\Z")
_COMMENT = re.compile(r"[^\"\\\n]{1,120}\Z")


class NftRule(Kind):
    """The state: `rules`, [position, text, the text that follows] of each rule of the chain that is the one meant."""

    name = "nft_rule"
    required = ("family", "table", "chain", "rule")
    optional = {"position": 1, "comment": "", "state": PRESENT, "opens": None}  # noqa: RUF012 - never written to

    @property
    def subject(self) -> str:
        comment = self.options["comment"]
        rule = nft_rules.commented(self.options["rule"], comment) if comment else self.options["rule"]
        return f"nft {self._where()} {rule}"

    def preflight(self) -> None:
        comment, present = self.options["comment"], self.options["state"] == PRESENT
        if not all(_NAME.match(self.options[name]) for name in ("table", "chain")) or self.options["position"] < 0:
            raise RefusedError(f"{self.subject}: table, chain or position are not such")
        if (present or comment) and not _COMMENT.match(comment):
            raise RefusedError(f"{self.subject}: a rule of nft needs a comment by which it is found again, in one line")
        nft_rules.expression(self.options["rule"], self.options["family"])
        self.writable()
        result = tools.attempt(["nft", "list", "chain", *self._words()])
        if result.failure or result.rc:
            why = tools.reason(result)
            missing = "No such file" in why
            raise RefusedError(f"there is no chain {self._where()} on this host" if missing else f"nft: {why}")
        rules = self._listed()
        if self.options["position"] > len(rules) + 1:
            raise RefusedError(f"{self._where()} has {len(rules)} rules only")
        if present:
            tools.run(["nft", "--check", *self._command(self.options["position"], len(rules), self._text())])

    def writable(self) -> None:
        tools.need("nft")

    def read(self) -> State:
        rules = self._listed()
        found = []
        for number, rule in enumerate(rules, 1):
            if self._is_meant(rule):
                found.append([number, rule.text, rules[number].text if number < len(rules) else ""])
        return {"rules": found}

    def plan(self, before: State) -> State:
        if self.options["state"] == ABSENT:
            return {"rules": []} if before["rules"] else before
        return before if before["rules"] else {"rules": [[self.options["position"], self._text(), ""]]}

    def write(self, now: State, wanted: State) -> None:
        surplus = len(now["rules"]) - len(wanted["rules"])
        if surplus > 0:
            for rule in [rule for rule in self._listed() if self._is_meant(rule)][-surplus:]:
                tools.run(["nft", "delete", "rule", *self._words(), "handle", str(rule.handle)])
        for number, text, following in wanted["rules"][len(now["rules"]) :]:
            texts = [rule.text for rule in self._listed()]
            place = texts.index(following) + 1 if following and texts.count(following) == 1 else number
            tools.run(["nft", *self._command(place, len(texts), text)])
        if not self.same(self.read(), wanted):
            raise RefusedError(f"{self.subject}: nft did as it was told, and it is not so")

    def same(self, one: State, other: State) -> bool:
        return len(one["rules"]) == len(other["rules"])

    def shown(self, state: State) -> str:
        return lines_of([f"{self._where()} {text}" for _number, text, _following in state["rules"]])

    def additions(self) -> list[Addition]:
        """Return what the rule adds, for the proof."""
        import json

        from .._firewall import counterfactual, model, nftables

        family, table, chain, rule = (self.options[name] for name in ("family", "table", "chain", "rule"))
        statements = nft_rules.expression(rule, family)
        document = tools.run(["nft", "-j", "list", "table", family, table])
        sets = nftables.named_sets(json.loads(document))
        of = {"ip": "ipv4", "ip6": "ipv6"}.get(family, family)
        position = int(self.options["position"])
        return [counterfactual.Addition(model.NATIVE, of, f"{family} {table}", chain, position, statements, sets)]

    def _where(self) -> str:
        return " ".join(self._words())

    def _words(self) -> list[str]:
        return [self.options["family"], self.options["table"], self.options["chain"]]

    def _text(self) -> str:
        return nft_rules.commented(self.options["rule"], self.options["comment"])

    def _is_meant(self, rule: Listed) -> bool:
        if rule.comment != self.options["comment"]:
            return False
        if rule.text in {self.options["rule"], self._text()}:
            return True
        return nft_rules.alike(rule.expr, nft_rules.expression(self.options["rule"], self.options["family"]))

    def _listed(self) -> list[Listed]:
        text = tools.attempt(["nft", "-a", "list", "chain", *self._words()])
        document = tools.attempt(["nft", "-j", "-a", "list", "chain", *self._words()])
        if text.failure or text.rc or document.failure or document.rc:
            if "No such file" in text.stderr:  # gone with its table, or with the last boot
                return []
            raise RefusedError(f"nft list chain {self._where()}: {tools.reason(text if text.rc else document)}")
        return nft_rules.listed(text.stdout, document.stdout, self.options["chain"])

    def _command(self, number: int, length: int, text: str) -> list[str]:
        """Return the words that put a rule at a place; 0 is the last."""
        if not number or number > length:
            return ["add", "rule", *self._words(), text]
        return ["insert", "rule", *self._words(), "index", str(number - 1), text]
