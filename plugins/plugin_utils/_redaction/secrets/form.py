# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that are known by their form: keys, certificates, tokens, users in URLs, random letters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..vocabulary import CUT
from . import judge

if TYPE_CHECKING:
    from ..keyed import Keyed
    from .kept import Kept

_PEM = re.compile(
    r"-----BEGIN ([A-Z0-9 ]{1,60})-----(?:(?:(?!-----BEGIN ).){0,40000}?-----END \1-----"
    r"|(?:(?:\\n|\s){1,40}[A-Za-z0-9+/=]{16,}){0,2000})",
    re.DOTALL,
)
_PEM64 = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/=]+")
_JWT = re.compile(r"(?<![A-Za-z0-9_+/-])eyJ[A-Za-z0-9_+/=-]{8,}(?:\.[A-Za-z0-9_+/=-]*){0,4}")
_URL = re.compile(r"(?<=://)[^/@\s\"'<>]{1,500}@")
_BEARER = re.compile(r"(?i)\b((?:bearer|basic)\s+)([A-Za-z0-9._~+/=-]{8,})")
_BOOTSTRAP = re.compile(r"\.(?<=(?<![A-Za-z0-9._-])[a-z0-9]{6}\.)([a-z0-9]{16})(?![A-Za-z0-9._-])")
_CREDENTIAL = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}|gh[opsu]_[A-Za-z0-9]{20,}|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|AIza[A-Za-z0-9_-]{35}|gl(?:pat|rt|dt|ptt)-[A-Za-z0-9_-]{16,}|K10[0-9a-f]{32,}(?:::\S+)?"
    r"|github_pat_\w{20,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}|do[opr]_v1_[0-9a-f]{40,}|sk-(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{16,}"
    r"|hv[sbr]\.[\w-]{16,}|SG\.[\w-]{16,}\.[\w-]{16,}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32})"
)
_CREDENTIAL_SIGNS = (
    *("AKIA", "ASIA", "AROA", "AIDA", "gho_", "ghp_", "ghs_", "ghu_", "github_pat_", "xox", "AIza", "K10", "npm_"),
    *("glpat-", "glrt-", "gldt-", "glptt-", "pypi-", "dop_v1_", "doo_v1_", "dor_v1_", "sk-", "hvs.", "hvb.", "hvr."),
    *("SG.", "shpat_", "shpca_", "shppa_", "shpss_"),
)
_WIREGUARD = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=(?![A-Za-z0-9+/=])")
_MAY_BE_WIREGUARD = re.compile(r"=(?<=[A-Za-z0-9+/]{43}=)(?![A-Za-z0-9+/=])")
_LONG = re.compile(
    r"(?<![A-Za-z0-9+/=_.-])(?=[A-Za-z0-9+/_-]*[0-9])(?=[A-Za-z0-9+/_-]*[A-Z])[A-Za-z0-9+/_-]{40,}={0,2}(?![A-Za-z0-9+/=_.-])"
)
_ENTROPY = 4.3
_SIGNS: tuple[tuple[str, re.Pattern[str]], ...] = (("-----BEGIN ", _PEM), ("LS0tLS1CRUdJTi", _PEM64), ("eyJ", _JWT))


class Form:
    """Cuts what has the form of a secret. WireGuard's public keys become others, by the key."""

    def __init__(self, kept: Kept, keyed: Keyed) -> None:
        self._kept, self._keyed = kept, keyed

    def cut_whole(self, text: str, folded: str) -> str:
        """Cut what is to go before anything that it holds or stands in is looked at."""
        for sign, pattern in _SIGNS:
            if sign in text:
                text = pattern.sub(self._kept.whole, text)
        if _MAY_BE_WIREGUARD.search(text):
            text = _WIREGUARD.sub(self._public_key, text)
        if "://" in text:
            text = _URL.sub(self._user, text)
        if "bearer" in folded or "basic" in folded:
            text = _BEARER.sub(self._kept.second, text)
        return text

    def cut_rest(self, text: str) -> str:
        """Cut what may have been named, and so is gone already."""
        if any(sign in text for sign in _CREDENTIAL_SIGNS):
            text = _CREDENTIAL.sub(self._kept.whole, text)
        text = _BOOTSTRAP.sub(self._bootstrap, text)
        return _LONG.sub(self._long, text)

    def _user(self, match: re.Match[str]) -> str:
        self._kept.take(match.group()[:-1].rpartition(":")[2])
        return f"{CUT}@"

    def _bootstrap(self, match: re.Match[str]) -> str:
        if not any(letter.isdigit() for letter in match.group(1)):
            return match.group()
        self._kept.take(match.group(1))
        return f".{CUT}"

    def _public_key(self, match: re.Match[str]) -> str:
        made = self._keyed.base64(match.group())
        self._kept.take(match.group())
        self._kept.made.add(made)
        return made

    def _long(self, match: re.Match[str]) -> str:
        if match.group() in self._kept.made:
            return match.group()
        return (
            self._kept.whole(match)
            if judge.entropy(match.group()) >= _ENTROPY and not judge.is_made_of_words(match.group())
            else match.group()
        )
