# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rule of iptables, of either backend and either family, in the kernel."""

from __future__ import annotations

import os
import re

from .._firewall import model as firewall
from .._firewall import nft_kernel
from .._host import commands
from . import iptables_text, tools
from .model import ABSENT, PRESENT, Kind, RefusedError, lines_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._firewall.counterfactual import Addition
    from .model import State

_WAIT = ("-w", "5")
_NAME = re.compile(r"[A-Za-z0-9_.:~+-]{1,28}\Z")
_POSITIONS = 100_000


class IptablesRule(Kind):
    """The state: `rules`, [position, line, the line that follows] of each rule of the chain that is the one meant."""

    name = "iptables_rule"
    required = ("chain", "rule")
    optional = {  # noqa: RUF012 - never written to
        "program": "iptables",
        "table": "filter",
        "position": 1,
        "comment": "",
        "state": PRESENT,
        "opens": None,
    }

    @property
    def subject(self) -> str:
        where = f"{self.options['program']} -t {self.options['table']}"
        return f"{where} {iptables_text.line_of(self.options['chain'], self._words())}"

    @property
    def family(self) -> str:
        """Return ipv4 or ipv6."""
        return "ipv6" if self.options["program"].startswith("ip6") else "ipv4"

    def preflight(self) -> None:
        self._words()
        program, table, chain = (self.options[name] for name in ("program", "table", "chain"))
        if not _NAME.match(chain) or not _NAME.match(table) or not 0 <= self.options["position"] <= _POSITIONS:
            raise RefusedError(f"{self.subject}: chain, table or position are not such")
        self.writable()
        rules = iptables_text.rules_in(self._save(), chain)
        if rules is None:
            raise RefusedError(f"there is no chain {chain} in table {table} of {program} on this host")
        if self.options["position"] > len(rules) + 1:
            raise RefusedError(f"{chain} has {len(rules)} rules only, so that none can be number {self._position()}")
        if self.options["state"] == PRESENT:
            line = iptables_text.line_of(chain, self._words())
            test = f"*{table}\n{line}\nCOMMIT\n"
            tools.with_input([f"{program}-restore", "--noflush", "--test", *_WAIT], test)

    def writable(self) -> None:
        tools.need(self.options["program"])
        tools.need(f"{self.options['program']}-save")

    def read(self) -> State:
        rules = iptables_text.rules_in(self._save(), self.options["chain"]) or []
        wanted = iptables_text.line_of(self.options["chain"], self._words())
        found = []
        for number, line in enumerate(rules, 1):
            if iptables_text.alike(line, wanted, self.family):
                found.append([number, line, rules[number] if number < len(rules) else ""])
        return {"rules": found}

    def plan(self, before: State) -> State:
        if self.options["state"] == ABSENT:
            return {"rules": []} if before["rules"] else before
        if before["rules"]:
            return before
        return {"rules": [[self._position(), iptables_text.line_of(self.options["chain"], self._words()), ""]]}

    def write(self, now: State, wanted: State) -> None:
        for _number, line, _following in now["rules"][len(wanted["rules"]) :]:
            # Not by its number: others (Felix, kube-proxy) put rules into chains at any time.
            self._run("-D", self.options["chain"], *iptables_text.split(line)[2:])
        for number, line, following in wanted["rules"][len(now["rules"]) :]:
            self._insert(number, iptables_text.split(line)[2:], following)
        if not self.same(self.read(), wanted):
            raise RefusedError(f"{self.subject}: {self.options['program']} did as it was told, and it is not so")

    def same(self, one: State, other: State) -> bool:
        return len(one["rules"]) == len(other["rules"])

    def shown(self, state: State) -> str:
        return lines_of([line for _number, line, _following in state["rules"]])

    def additions(self) -> list[Addition]:
        """Return what the rule adds, for the proof."""
        from .._firewall import counterfactual

        chain = self.options["chain"]
        where = ["-I", chain, str(self._position())] if self._position() else ["-A", chain]
        line = iptables_text.line_of(chain, iptables_text.with_modules(self._words()))
        text = " ".join([*where, line.partition(f"-A {chain} ")[2]])
        return [counterfactual.addition(backend_of(self.options["program"]), self.family, self.options["table"], text)]

    def _words(self) -> list[str]:
        return iptables_text.words_of(self.options["rule"], self.options["comment"])

    def _position(self) -> int:
        return int(self.options["position"])

    def _insert(self, number: int, words: list[str], following: str) -> None:
        chain = self.options["chain"]
        rules = iptables_text.rules_in(self._save(), chain) or []
        if following and rules.count(following) == 1:
            number = rules.index(following) + 1
        if number and number <= len(rules):
            self._run("-I", chain, str(number), *words)
        else:
            self._run("-A", chain, *words)

    def _run(self, *words: str) -> None:
        tools.run([self.options["program"], *_WAIT, "-t", self.options["table"], *words])

    def _save(self) -> str:
        """Return the table's rules; '' if there is no such table. To ask for one that is not there would make it."""
        program, table = self.options["program"], self.options["table"]
        tables = _legacy_tables if backend_of(program) == firewall.LEGACY else _nft_tables
        if table not in tables(self.family):
            return ""
        text = tools.run([f"{program}-save", "-t", table])
        if "is incompatible" in text:
            raise RefusedError(f"{program} cannot show the table {table}, for nft put rules of its own into it")
        return text


def backend_of(program: str) -> str:
    """Return which backend a program of iptables works on."""
    if program.endswith("-nft"):
        return firewall.NFT
    if program.endswith("-legacy"):
        return firewall.LEGACY
    real = os.path.basename(os.path.realpath(commands.find_program(program)))
    if "nft" not in real and "legacy" not in real:
        real = tools.attempt([program, "--version"]).stdout
    return firewall.NFT if "nf" in real.replace("netfilter", "") else firewall.LEGACY


def _nft_tables(family: str) -> set[str]:
    if not nft_kernel.present():
        return set()
    try:
        chains = nft_kernel.base_chains()
    except OSError as error:
        raise RefusedError(f"nf_tables does not answer: {error.strerror or error}") from None
    return {chain["table"] for chain in chains if chain["family"] == {"ipv4": "ip", "ipv6": "ip6"}[family]}


def _legacy_tables(family: str) -> list[str]:
    name = "ip_tables_names" if family == "ipv4" else "ip6_tables_names"
    try:
        with open(f"/proc/net/{name}", encoding="utf-8") as stream:
            return stream.read().split()
    except OSError:
        return []
