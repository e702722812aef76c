# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that people tell in sentences, hand to programs, or have printed by kubectl."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .kept import Kept

_CALLED = (
    r"(?:pass(?:word|wd|phrase|code)|kennwort|passwort|mot de passe|contrase(?:ñ|n)a|senha|hasło|пароль"
    r"|\u30d1\u30b9\u30ef\u30fc\u30c9|\u5bc6\u7801)"
)
# Words of a sentence are none: a secret has a digit or another sign in it.
_NO_WORD = r"(?=[^\s\"'`]{0,200}[0-9!@#$%^&*_+=?~|\\/-])(?=[^\s\"'`]{0,200}[^\W\d_])"
# The words of which a pattern needs one, and the pattern.
_TOLD = tuple(
    (words, re.compile(pattern))
    for words, pattern in (
        (
            ("pass", "kennwort", "contrase", "senha", "hasło", "пароль", "パスワード", "密码"),
            (
                rf"(?i)(\b{_CALLED}\b[^\n\"'`]{{0,40}}?(?:\b(?:is|was|to|lautet|ist|est|es)\b|[:\uff1a])[\s*_]{{1,8}}[\"'`]?)"
                rf"({_NO_WORD}[^\s\"'`,;]{{5,}}[^\s\"'`,;.])"
            ),
        ),
        (("password",), r"(?i)(\bpassword[ \t]*/\*[^*\n]{0,80}\*/[ \t]*)(\"[^\"\n]+\"|[^\s;]+)"),
        (("----",), r"(?im)(^(?P<name>[\w.-]{1,80}):[ \t]*\r?\n-{4}\r?\n)(?P<value>\S[^\n]*)"),
        (
            ("value:",),
            (
                r"(?m)(^[ \t]*(?:- +)?name:[ \t]*[\"']?(?P<name>[\w.-]{1,200})[\"']?[ \t]*\r?\n(?P<margin>[ \t]*)value:"
                r"[ \t]*[|>][-+]?[ \t]*\r?\n(?P=margin)[ \t]+)(?P<value>\S[^\n]*(?:\n(?P=margin)[ \t]+\S[^\n]*){0,40})"
            ),
        ),
        (("stringdata",), r"(?i)(\bstringData\\?[\"']?[ \t]*:[ \t]*\{)([^{}\n]+)"),
        (
            ("secret",),
            r"(\bkind\\?\"[ \t]*:[ \t]*\\?\"Secret\\?\"[^\n]{0,2000}?\\?\"data\\?\"[ \t]*:[ \t]*\{)([^{}\n]+)",
        ),
        (
            ("secret",),
            r"(?im)(^[^\n]*\bget[ \t]+secrets?\b[^\n]*(?:jsonpath|template|custom-columns|base64)[^\n]*\n)(\S[^\n]*)",
        ),
        (("serviceaccount/token",), r"(?m)(^[^\n]*\bcat[ \t][^\n]*/serviceaccount/token[^\n]*\n)(\S[^\n]*)"),
        (("sudo",), r"(\becho[ \t]+)([^\s|][^|\n]*?)(?=[ \t]*\|[ \t]*sudo[ \t]+-\w*S)"),
        (("redis-cli",), r"(\bredis-cli\b[^\n|;]{0,120}?[ \t]-a[ \t]+)([^\s;|]+)"),
        (("ldap",), r"(\bldap\w+[ \t][^\n|;]{0,200}?-w[ \t]+)([^\s;|]+)"),
        (("ipmitool",), r"(\bipmitool\b[^\n|;]{0,200}?[ \t]-P[ \t]+)([^\s;|]+)"),
        (("pw=", "cred=", "creds="), r"(?i)((?<![\w-])(?:pw|creds?)=[\"']?)([^\s\"'&;,]+)"),
        (
            ("pw:", "cred:", "creds:"),
            rf"(?i)((?<![\w-])(?:pw|creds?):[ \t]{{0,4}}[\"']?)({_NO_WORD}[^\s\"'`&;,]{{5,}})",
        ),
        # TCP's signatures: what is assigned to such a variable, or has a digit or a sign in it.
        (("md5",), r"(?i)((?<![\w.-])(?:[\w-]{0,40}[_-])?md5=[\"']?)([^\s\"'`&;,{}\[\]()<>]{4,})"),
        (
            ("md5",),
            (
                r"(?i)((?<![\w.-])(?:[\w-]{0,40}[_-])?md5\\?[\"']?[ \t]*:[ \t]+\\?[\"']?)"
                rf"({_NO_WORD}[^\s\"'`\\&;,{{}}\[\]()<>]{{5,}})"
            ),
        ),
        # Accounts with their passwords, as registries and people write them. "system:" begins names of Kubernetes' own.
        (("robot$",), r"(\brobot\$[\w.+-]{1,80}:)([^\s\"'`,;:/]{4,})"),
        (
            ("user",),
            (
                r"(\b[Uu]ser(?:name)?:?[ \t]+[\"']?(?!system:)[\w.@$+-]{1,80}:)"
                r"((?=[^\s\"'`,;:/]*\d)(?=[^\s\"'`,;:/]*[A-Z])(?=[^\s\"'`,;:/]*[a-z])[^\s\"'`,;:/]{6,})(?![:/])"
            ),
        ),
        (("dckr_pat_",), r"()(\bdckr_pat_[\w-]{8,})"),
    )
)


def cut(text: str, folded: str, kept: Kept) -> str:
    """Return the text without what is told so. `folded`: it, or more than it, in small letters."""
    for words, pattern in _TOLD:
        if any(word in folded for word in words):
            text = pattern.sub(kept.second_if_named, text)
    return text
