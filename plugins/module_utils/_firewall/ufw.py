# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules that ufw loads when the host starts, put together from its files as /lib/ufw/ufw-init does.

/etc/ufw/ufw.conf (ENABLED), /etc/default/ufw (policies, IPV6), /etc/ufw/{before,user,after}{,6}.rules
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[[str], str]

CONFIGURATION = "/etc/ufw/ufw.conf"
_DEFAULTS = "/etc/default/ufw"
# In the order in which ufw-init calls them in each of the kernel's chains.
_ORDER = ("before-logging-", "before-", "after-", "after-logging-", "reject-", "track-")
_RULES = ("/etc/ufw/before{}.rules", "/etc/ufw/user{}.rules", "/etc/ufw/after{}.rules")
# Before ufw 0.33 user.rules was kept elsewhere.
_OLD_USER_RULES = "/lib/ufw/user{}.rules"


def settings(text: str) -> dict[str, str]:
    """Return what a file of NAME="value" lines sets."""
    found = {}
    for line in text.split("\n"):
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            found[name.strip()] = value.strip().strip("\"'")
    return found


def is_enabled(read: Read) -> bool:
    """Say whether ufw's own configuration has it load its rules."""
    return settings(read(CONFIGURATION)).get("ENABLED", "").lower() == "yes"


def boot_rules(read: Read, family: str) -> str:
    """Return the rules of one family as text of iptables-save; "" if ufw leaves the family alone."""
    defaults = settings(read(_DEFAULTS))
    if family == "ipv6" and defaults.get("IPV6", "yes").lower() != "yes":
        return ""
    kind = "6" if family == "ipv6" else ""
    tables: dict[str, list[str]] = {}
    for name in _RULES:
        text = read(name.format(kind)) or (read(_OLD_USER_RULES.format(kind)) if "user" in name else "")
        _collect(tables, text)
    own = tables.pop("filter", [])
    lines = _skeleton(defaults, f"ufw{kind}")
    lines += [line for line in own if line[:1] == ":"]
    rules = [line for line in own if line[:1] == "-"]
    lines += _calls(f"ufw{kind}")
    lines += rules
    for way in ("input", "output"):
        lines.append(f"-A ufw{kind}-before-{way} -j ufw{kind}-user-{way}")
        policy = _policy(defaults, way)
        lines += [f"-A ufw{kind}-reject-{way} -j REJECT"] if policy == "REJECT" else []
        lines += [f"-A ufw{kind}-skip-to-policy-{way} -j {policy}"]
    text = "\n".join(["*filter", *lines, "COMMIT", ""])
    for table, more in tables.items():
        heads = [f":{chain} ACCEPT [0:0]" for chain in ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")]
        known = [line.split()[0] for line in more if line[:1] == ":"]
        text += "\n".join([f"*{table}", *(one for one in heads if one.split()[0] not in known), *more, "COMMIT", ""])
    return text


def _policy(defaults: dict[str, str], way: str) -> str:
    return defaults.get(f"DEFAULT_{way.upper()}_POLICY", "DROP" if way == "input" else "ACCEPT").upper()


def _skeleton(defaults: dict[str, str], prefix: str) -> list[str]:
    lines = []
    for way in ("input", "output"):
        policy = _policy(defaults, way)
        lines.append(f":{way.upper()} {'ACCEPT' if policy == 'ACCEPT' else 'DROP'} [0:0]")
        lines += [f":{prefix}-{name}{way} - [0:0]" for name in (*_ORDER, "user-", "skip-to-policy-")]
    return lines


def _calls(prefix: str) -> list[str]:
    return [f"-A {way.upper()} -j {prefix}-{name}{way}" for way in ("input", "output") for name in _ORDER]


def _collect(tables: dict[str, list[str]], text: str) -> None:
    """Put a file's chains and rules with their tables."""
    table = ""
    for line in text.split("\n"):
        stripped = line.strip()
        if stripped[:1] == "*":
            table = stripped[1:]
        elif stripped == "COMMIT":
            table = ""
        elif table and (stripped[:1] == ":" or stripped[:3] in {"-A ", "-I "}):
            own = tables.setdefault(table, [])
            if stripped[:3] == "-I ":  # to stand before the others of its chain
                own.insert(0, "-A " + stripped[3:])
            else:
                own.append(stripped)
