# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rule of firewalld in one of its zones, at run time and for good. Never --reload: it would drop what others made."""

from __future__ import annotations

import os
import re

from . import files, tools
from .model import PRESENT, Kind, RefusedError, lines_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._firewall.counterfactual import Addition
    from .model import State

_NAME = re.compile(r"[A-Za-z0-9_/-]{1,64}\Z")
_WHAT = ("rich_rule", "port", "protocol", "service", "source")
_FOLDER = "/etc/firewalld/zones"


class FirewalldRule(Kind):
    """The state: whether it is there at run time and for good, and whether the zone has a file of its own in /etc."""

    name = "firewalld_rule"
    required = ("zone",)
    optional = dict.fromkeys(_WHAT, "")
    optional.update({"state": PRESENT, "opens": None})

    @property
    def subject(self) -> str:
        what = next((name for name in _WHAT if self.options[name]), "")
        return f"firewalld zone {self.options['zone']} {what} {self.options[what] if what else ''}".rstrip()

    def preflight(self) -> None:
        if sum(bool(self.options[name]) for name in _WHAT) != 1:
            raise RefusedError(f"firewalld_rule wants exactly one of {', '.join(_WHAT)}")
        if not _NAME.match(self.options["zone"]):
            raise RefusedError(f"{self.options['zone'][:64]!r} is no zone")
        tools.need("firewall-cmd")
        state = tools.attempt(["firewall-cmd", "--state"])
        if state.rc or "running" not in state.stdout:
            raise RefusedError("firewalld does not run on this host")
        for scope in ([], ["--permanent"]):
            zones = tools.run(["firewall-cmd", *scope, "--get-zones"]).split()
            if self.options["zone"] not in zones:
                raise RefusedError(f"there is no zone {self.options['zone']} in firewalld on this host")
        self.writable()
        self.read()

    def writable(self) -> None:
        tools.need("firewall-cmd")
        files.check_writable(f"{_FOLDER}/{self.options['zone']}.xml", 65536)

    def read(self) -> State:
        return {
            "runtime": self._is_there([]),
            "permanent": self._is_there(["--permanent"]),
            "own_file": os.path.exists(f"{_FOLDER}/{self.options['zone']}.xml"),
        }

    def plan(self, before: State) -> State:
        wanted = self.options["state"] == PRESENT
        if before["runtime"] == before["permanent"] == wanted:
            return before
        return {"runtime": wanted, "permanent": wanted, "own_file": before["own_file"] or before["permanent"] != wanted}

    def write(self, now: State, wanted: State) -> None:
        for scope, words in (("runtime", []), ("permanent", ["--permanent"])):
            if now[scope] != wanted[scope]:
                tools.run(["firewall-cmd", *words, *self._zone(), self._flag("add" if wanted[scope] else "remove")])
        if not wanted["own_file"] and os.path.exists(f"{_FOLDER}/{self.options['zone']}.xml"):
            # firewalld copied its default into /etc to put the rule in; with the rule gone the copy goes, too.
            tools.run(["firewall-cmd", "--permanent", f"--load-zone-defaults={self.options['zone']}"])
        if not self.same(self.read(), wanted):
            raise RefusedError(f"{self.subject}: firewalld did as it was told, and it is not so")

    def same(self, one: State, other: State) -> bool:
        return all(one[scope] == other[scope] for scope in ("runtime", "permanent"))

    def shown(self, state: State) -> str:
        return lines_of([f"{self.subject} ({scope})" for scope in ("runtime", "permanent") if state[scope]])

    def additions(self) -> list[Addition]:
        """Return what the rule adds to firewalld's table, for the proof."""
        from .._firewall import counterfactual, firewalld, model, nft_script, nftables

        zone = self.options["zone"]
        made = firewalld.Zone(zone)
        if self.options["rich_rule"]:
            made = made._replace(rich=(firewalld.rich_rule(self.options["rich_rule"]),))
        elif self.options["port"] or self.options["protocol"]:
            kind = "port" if self.options["port"] else "protocol"
            made = made._replace(opened=((kind, self.options[kind]),))
        else:
            raise RefusedError(f"{self.subject}: what it opens cannot be worked out; a rich rule's can")
        document = nft_script.parse(firewalld.script([made], zone, [], {})).document()
        found = []
        for rule in nftables.objects(document, "rule"):
            if str(rule["chain"]).startswith(f"filter_IN_{zone}_"):
                table = "inet firewalld"
                found.append(counterfactual.Addition(model.NATIVE, "inet", table, rule["chain"], 0, rule["expr"]))
        if not found:
            raise RefusedError(f"{self.subject}: what it opens cannot be worked out")
        return found

    def _zone(self) -> list[str]:
        return [f"--zone={self.options['zone']}"]

    def _flag(self, what: str) -> str:
        name = next(name for name in (*_WHAT, "") if self.options.get(name))
        return f"--{what}-{name.replace('_', '-')}={self.options[name]}"

    def _is_there(self, scope: list[str]) -> bool:
        result = tools.attempt(["firewall-cmd", *scope, *self._zone(), self._flag("query")])
        if result.failure or result.rc not in {0, 1}:
            raise RefusedError(f"{self.subject}: {tools.reason(result)}")
        return result.rc == 0
