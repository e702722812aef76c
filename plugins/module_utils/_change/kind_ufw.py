# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rule of ufw, made by ufw: in its files and, where it is enabled, in the kernel."""

from __future__ import annotations

from .._firewall import ufw
from . import files, tools, ufw_text
from .model import ABSENT, PRESENT, Kind, RefusedError, lines_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._firewall.counterfactual import Addition
    from .model import State
    from .ufw_text import Tuple

_FILES = (("ipv4", "/etc/ufw/user.rules"), ("ipv6", "/etc/ufw/user6.rules"))
_TARGET = {"allow": "ACCEPT", "deny": "DROP"}


class UfwRule(Kind):
    """The state: `rules`, [family, position in that family's file, comment] of the rule meant."""

    name = "ufw_rule"
    optional = {  # noqa: RUF012 - never written to
        "action": "allow",
        "direction": "in",
        "interface": "",
        "protocol": "any",
        "source": "any",
        "source_port": "",
        "destination": "any",
        "port": "",
        "position": 0,
        "comment": "",
        "state": PRESENT,
        "opens": None,
    }

    @property
    def subject(self) -> str:
        return "ufw " + " ".join(self._words())

    def preflight(self) -> None:
        if "'" in self.options["comment"] or "\n" in self.options["comment"]:
            raise RefusedError(f"{self.subject}: ufw allows neither quotes nor more than one line in a comment")
        self.writable()
        if not ufw.is_enabled(_text):
            raise RefusedError("ufw is not enabled on this host, so its rules are not those that filter")
        tools.run(["ufw", "--dry-run", *self._command(self.options["position"], "")])

    def writable(self) -> None:
        tools.need("ufw")
        for _family, path in _FILES:
            found = files.read(path)
            if found is not None:
                files.check_writable(path, len(found.content) + 4096)

    def read(self) -> State:
        found = []
        for family, path in _FILES:
            for number, (one, comment) in enumerate(ufw_text.tuples(_text(path)), 1):
                if one == self._tuple():
                    found.append([family, number, comment])
        return {"rules": found}

    def plan(self, before: State) -> State:
        if self.options["state"] == ABSENT:
            return {"rules": []} if before["rules"] else before
        if before["rules"]:
            return before
        number, comment = self.options["position"], self.options["comment"]
        return {"rules": [[family, number, comment] for family in self._families()]}

    def write(self, now: State, wanted: State) -> None:
        if now["rules"] and not wanted["rules"]:
            tools.run(["ufw", "--force", "delete", *self._words()])
        elif wanted["rules"]:
            _family, number, comment = wanted["rules"][0]
            tools.run(["ufw", *self._command(number, comment)])
        if not self.same(self.read(), wanted):
            raise RefusedError(f"{self.subject}: ufw did as it was told, and it is not so")

    def same(self, one: State, other: State) -> bool:
        return [family for family, *_rest in one["rules"]] == [family for family, *_rest in other["rules"]]

    def shown(self, state: State) -> str:
        return lines_of([f"{self.subject} ({family})" for family, *_rest in state["rules"]])

    def additions(self) -> list[Addition]:
        """Return what the rule adds to the kernel's chains, for the proof."""
        from .._firewall import counterfactual
        from .kind_iptables import backend_of

        target = _TARGET.get(self.options["action"])
        if target is None:
            raise RefusedError(f"{self.subject}: what {self.options['action']} opens cannot be worked out")
        found = []
        for family in self._families():
            kind, program = ("", "iptables") if family == "ipv4" else ("6", "ip6tables")
            chain = f"ufw{kind}-user-{'input' if self.options['direction'] == 'in' else 'output'}"
            where = ["-I", chain, str(self.options["position"])] if self.options["position"] else ["-A", chain]
            for protocol in self._protocols():
                words = self._matches(protocol)
                text = " ".join([*where, *words, "-j", target])
                found.append(counterfactual.addition(backend_of(program), family, "filter", text))
        return found

    def _protocols(self) -> list[str]:
        protocol = self.options["protocol"]
        if protocol == "any" and (self.options["port"] or self.options["source_port"]):
            return ["tcp", "udp"]
        return [protocol]

    def _matches(self, protocol: str) -> list[str]:
        words = []
        inbound = self.options["direction"] == "in"
        for option, flag in (("source", "-s"), ("destination", "-d")):
            if self.options[option] != "any":
                words += [flag, self.options[option]]
        if self.options["interface"]:
            words += ["-i" if inbound else "-o", self.options["interface"]]
        if protocol != "any":
            words += ["-p", protocol]
        for option, flag in (("source_port", "--sport"), ("port", "--dport")):
            if self.options[option]:
                words += ["-m", protocol, flag, self.options[option]]
        return words

    def _words(self) -> list[str]:
        words = [self.options["action"], self.options["direction"]]
        if self.options["interface"]:
            words += ["on", self.options["interface"]]
        if self.options["protocol"] != "any":
            words += ["proto", self.options["protocol"]]
        for side, address, port in (("from", "source", "source_port"), ("to", "destination", "port")):
            words += [side, self.options[address] or "any"]
            if self.options[port]:
                words += ["port", self.options[port]]
        return words

    def _command(self, number: int, comment: str) -> list[str]:
        comment = comment or self.options["comment"]
        words = [*self._words(), *(("comment", comment) if comment else ())]
        families = self._families()
        before = len(ufw_text.tuples(_text(_FILES[0][1]))) if families == ["ipv6"] else 0
        own = sum(len(ufw_text.tuples(_text(path))) for family, path in _FILES if family in families)
        if number == 1 and own:
            return ["prepend", *words]
        if 1 < number <= own:
            return ["insert", str(number + before), *words]
        return words

    def _tuple(self) -> Tuple:
        options = self.options
        way = options["direction"] + (f"_{options['interface']}" if options["interface"] else "")
        return ufw_text.Tuple(
            options["action"],
            options["protocol"] or "any",
            options["port"] or "any",
            ufw_text.plain_address(options["destination"]),
            options["source_port"] or "any",
            ufw_text.plain_address(options["source"]),
            way,
        )

    def _families(self) -> list[str]:
        addresses = f"{self.options['source']} {self.options['destination']}"
        if ":" in addresses:
            return ["ipv6"]
        if "." in addresses:
            return ["ipv4"]
        both = ufw.settings(_text("/etc/default/ufw")).get("IPV6", "yes").lower() == "yes"
        return ["ipv4", "ipv6"] if both else ["ipv4"]


def _text(path: str) -> str:
    found = files.read(path)
    return found.content.decode("utf-8", "replace") if found is not None else ""
