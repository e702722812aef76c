# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""firewalld's permanent configuration, from its files.

    /etc/firewalld/firewalld.conf
    /etc/firewalld/{zones,policies,services}/*.xml and, overruled by them, the same in /usr/lib/firewalld

The XML of these files is tags and attributes and nothing else that matters here, so no parser of XML is loaded.
"""

from __future__ import annotations

import re

from .._numbers import is_integer
from . import firewalld
from .persistence import FIREWALLD
from .ufw import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Read = Callable[[str], str]
    Names = Callable[[str], Sequence[str]]
    Tag = tuple[str, dict[str, str]]

_FOLDERS = ("/etc/firewalld", "/usr/lib/firewalld")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"""<(/?)([\w-]+)((?:\s+[\w-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(/?)>""")
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')""")
_ENTITIES = (("&quot;", '"'), ("&apos;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_OPENING = frozenset(("port", "source-port", "protocol", "service"))
_MOST_FILES = 300
_DEEP = 8


class Configuration:
    """What firewalld would load when it starts."""

    def __init__(self, read: Read, names: Names) -> None:
        self._read = read
        self._names = names
        own = settings(read(FIREWALLD))
        self.default = own.get("DefaultZone", "public")
        self.zones = [zone(name, text) for name, text in self._files("zones")]
        self.policies = [zone(name, text) for name, text in self._files("policies")]

    def _files(self, kind: str) -> list[tuple[str, str]]:
        found: dict[str, str] = {}
        for folder in _FOLDERS:
            for name in sorted(self._names(f"{folder}/{kind}"))[:_MOST_FILES]:
                plain = name[:-4]
                if name.endswith(".xml") and plain not in found:
                    found[plain] = self._read(f"{folder}/{kind}/{name}")
        return sorted(found.items())

    def script(self) -> str:
        """Return the rules as text of nft."""
        wanted = {
            value
            for one in [*self.zones, *self.policies]
            for kind, value in [*one.opened, *(rich.element for rich in one.rich)]
            if kind == "service"
        }
        services: dict[str, Sequence[tuple[str, str]]] = {}
        for name in sorted(wanted):
            opened = self._service(name)
            if opened is not None:
                services[name] = opened
        return firewalld.script(self.zones, self.default, self.policies, services)

    def _service(self, name: str, depth: int = 0) -> list[tuple[str, str]] | None:
        if "/" in name or depth > _DEEP:
            return None
        text = next(filter(None, (self._read(f"{folder}/services/{name}.xml") for folder in _FOLDERS)), "")
        if not text:
            return None
        found = []
        for tag, attributes in tags(text):
            if tag == "include":
                found += self._service(attributes.get("service", ""), depth + 1) or []
            elif tag == "destination":
                found += [(tag, address) for address in attributes.values()]
            elif tag in _OPENING:
                found.append((tag, _value(tag, attributes)))
        return found


def tags(text: str) -> list[Tag]:
    """Return the opening tags of a text with their attributes; a closing one is called "/name"."""
    found: list[Tag] = []
    for closing, name, attributes, _empty in _TAG.findall(_COMMENT.sub("", text)):
        values = {key: _plain(quoted or single) for key, quoted, single in _ATTRIBUTE.findall(attributes)}
        found.append((closing + name, values))
    return found


def _plain(text: str) -> str:
    for entity, character in _ENTITIES if "&" in text else ():
        text = text.replace(entity, character)
    return text


def _value(tag: str, attributes: dict[str, str]) -> str:
    if tag in {"port", "source-port"}:
        return f"{attributes.get('port', '')}/{attributes.get('protocol', '?')}"
    return attributes.get("name", attributes.get("value", "?"))


def zone(name: str, text: str) -> firewalld.Zone:
    """Return the zone, or policy, that a file of firewalld describes."""
    target, priority = "default", 0
    interfaces: list[str] = []
    sources: list[str] = []
    opened: list[tuple[str, str]] = []
    rich: list[firewalld.Rich] = []
    ingress: list[str] = []
    egress: list[str] = []
    rule: list[Tag] | None = None
    for tag, found in tags(text):
        if tag in {"zone", "policy"}:
            target = found.get("target", "default" if tag == "zone" else "CONTINUE")
            given = found.get("priority", "-1" if tag == "policy" else "0")
            priority = int(given) if is_integer(given) else 0
        elif tag == "rule":
            rule = [(tag, found)]
        elif tag == "/rule":
            rich += [firewalld.assembled(rule)] if rule else []
            rule = None
        elif rule is not None:
            rule.append((tag, found))
        elif tag in _OPENING:
            opened.append((tag, _value(tag, found)))
        elif tag == "interface":
            interfaces.append(found.get("name", ""))
        elif tag == "source":
            sources.append(found.get("address") or f"ipset:{found.get('ipset', '?')}")
        elif tag in {"ingress-zone", "egress-zone"}:
            (ingress if tag == "ingress-zone" else egress).append(found.get("name", ""))
    # To say a thing again opens no more.
    opened = list(dict.fromkeys(opened))
    return firewalld.Zone(name, target, interfaces, sources, opened, rich, ingress, egress, priority)
