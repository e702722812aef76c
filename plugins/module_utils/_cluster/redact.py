# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must not travel: values of secrets, tokens, keys and passwords, wherever somebody wrote them.

Only a reference to a secret (its name and its key's name) says something about Calico. Values are cut by the name that
they stand under, and by their form where the name tells nothing.
"""

from __future__ import annotations

import math
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_GONE = "…"
_DEEPEST = 40
_LONGEST = 8192
# "secretKeyRef", "imagePullSecrets" and the like hold names; what they hold is looked at on its own.
_NAMES_ONLY = frozenset(("secretkeyref", "secretref", "imagepullsecrets", "secretname", "configmapkeyref"))
# Of a name whose parts are joined by _, however they were joined before. "pass" also ends a longer word (ETCDPASS).
_WORDS = re.compile(
    r"passw|passphrase|pass_?(?:code|key)|(?<!by)(?<!com)(?<!sur)(?<!tres)pass\d*(?:$|_(?!through|thru|ive))|"
    r"pwd|secret|token|"
    r"credential|"
    r"(?:private|api|access|signing|encryption|auth|ssh|host|client|server|session|shared|preshared|master|account|tls|"
    r"ssl|hmac|licen[cs]e)_?key|bearer|authorization$|auth\d*$|(?<!syn)cookie|cert_?data|key_?(?:data|material)|"
    r"psk\d*$|licen[cs]e$|(?:^|_)signing$|snmp_?community|(?:^|_)dsn$|conn(?:ection)?_?str(?:ing)?$"
)
# A variable's name that ends with KEY, but for those that say where something is found.
_ANY_KEY = re.compile(r"[A-Z0-9_]+(?<!PUBLIC)(?<!TOPOLOGY)(?<!LABEL)(?<!ANNOTATION)_KEY$")
# Names with such a word that carry a switch, a number, a path or the name of an object.
_HARMLESS = re.compile(
    r"(?:file|file_?name|path|dir|folder|enabled|disabled|required|seconds|timeout|interval|ttl|automount\w*|"
    r"secret_?names?|secret_?namespace|(?:auth|token|secret)_?(?:type|mode))$"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_USER_OF_URL = re.compile(r"://[^/@\s\"']*@")
_BEARER = re.compile(r"(?i)\b(bearer|basic) +[\w.~+/=-]{8,}")
# The beginning of every JSON web token: {" in base64.
_CLAIMS = re.compile(r"eyJ[\w.+/=-]{8,}")
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_NAME = re.compile(r"""(?<![\w.-])([\w.-]{1,200})\\?["']?\s*[:=]\s*\\?["']?""")
_VALUE = re.compile(r"""(?:[Bb]earer|[Bb]asic|[Dd]igest) +[^\s"',}\\]+|[^\s&"',}\\]+""")
_NAMED_BY = (
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "credential",
    "auth",
    "cookie",
    "psk",
    "licen",
    "signing",
    "dsn",
    "conn",
    "community",
    "data",
    "bearer",
)
_SIGNS = ("://", "eyJ", "-----BEGIN")


def is_secret(name: str) -> bool:
    """Say whether what stands under this name (of a variable, a field, a key) must not travel."""
    parts = _HUMP.sub("_", name.replace("-", "_").replace(".", "_").replace(" ", "_")).lower()
    if name.lower() in _NAMES_ONLY or _HARMLESS.search(parts):
        return False
    return bool(_WORDS.search(parts) or _ANY_KEY.match(name))


def text(written: str, most: int = _LONGEST) -> str:
    """Return a text without users of URLs, tokens, private keys and what is named a password; cut to `most`."""
    folded = written.lower()
    if any(sign in written for sign in _SIGNS):
        written = _PEM.sub(_GONE, written)
        written = _USER_OF_URL.sub(f"://{_GONE}@", written)
        written = _CLAIMS.sub(_GONE, written)
    if "bearer " in folded or "basic " in folded:
        written = _BEARER.sub(rf"\1 {_GONE}", written)
    if any(word in folded for word in _NAMED_BY):
        written = _without_named(written)
    return written if len(written) <= most else f"{written[: most - 1]}{_GONE}"


def _without_named(written: str) -> str:
    """Cut the values of secrets; what stands behind another name may be the next name ("failed: token=…")."""
    kept, done = [], 0
    for found in _NAME.finditer(written):
        named = _VALUE.match(written, found.end()) if found.start() >= done and is_secret(found[1]) else None
        if named is not None:
            kept += [written[done : found.end()], _GONE]
            done = named.end()
    return "".join([*kept, written[done:]])


def without(written: str, known: Iterable[str]) -> str:
    """Return a text without these values, which are known to be secret, and without what text() cuts."""
    for secret in known:
        if len(secret) >= 4:
            written = written.replace(secret, _GONE)
    return text(written)


def value(found: Any, depth: int = 0) -> Any:
    """Return JSON data without what stands under a secret's name, cut where it is deeper than anything that is read."""
    if isinstance(found, str):
        return text(found)
    if isinstance(found, dict):
        return _mapping(found, depth)
    if isinstance(found, list):
        return [value(item, depth + 1) for item in found] if depth < _DEEPEST else []
    if isinstance(found, float):
        return found if math.isfinite(found) else None
    return found if isinstance(found, (bool, int)) else None


def _mapping(found: dict[Any, Any], depth: int) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, item in found.items() if depth < _DEEPEST else ():
        if not isinstance(name, str) or item is None:
            continue
        if not is_secret(name) or isinstance(item, bool):
            told = value(item, depth + 1)
            if told is not None:  # an infinite number is nothing that JSON has
                kept[text(name, 300)] = told
        elif isinstance(item, (dict, list)):
            kept[text(name, 300)] = references(item)
    return kept


def references(found: Any) -> Any:
    """Return what of a field for a secret is a reference: names of the secret and of its key, nothing else."""
    if isinstance(found, list):
        return [references(item) for item in found[:50] if isinstance(item, dict)]
    kept: dict[str, Any] = {}
    if isinstance(found, dict):
        for name in ("secretKeyRef", "secretRef"):
            if isinstance(found.get(name), dict):
                kept[name] = references(found[name])
        for name in ("name", "key", "namespace", "optional"):
            if isinstance(found.get(name), (str, bool)):
                kept[name] = text(found[name], 300) if isinstance(found[name], str) else found[name]
    return kept
