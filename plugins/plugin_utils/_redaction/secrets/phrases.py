# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of routers' and daemons' configurations, of command lines and of HTTP, behind which secrets stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .kept import Kept

# The word without which a pattern finds nothing, and the pattern.
_PHRASES = tuple(
    (word, re.compile(pattern))
    for word, pattern in (
        (
            "password",
            r"""(?im)(\bneighbor[ \t]+\S+[ \t]+password[ \t]+(?:\d{1,2}[ \t]+|encrypted[ \t]+)?)(\S[^\n]*)""",
        ),
        ("password", r"""(?im)(^[ \t]*password[ \t]+)("[^"\n]+"|[^\s;{][^\s;]*)(?=[ \t]*;?[ \t]*$)"""),
        (
            "key",
            (
                r"""(?i)(\b(?:authentication-key|key-string|md5-key|tcp-md5-key|message-digest-key[ \t]+\d+[ \t]+md5)"""
                r"""[ \t]+)("[^"\n]*"|[^\s;]+)"""
            ),
        ),
        (
            "auth",
            r"""(?i)(\b(?:auth_pass|vrrp(?:[ \t]+\d+)?[ \t]+authentication(?:[ \t]+text)?)[ \t]+)("[^"\n]*"|[^\s;]+)""",
        ),
        (
            "community",
            (
                r"""(?i)(\b(?:snmp-server[ \t]+community|r[ow]community6?|com2sec[ \t]+\S+[ \t]+\S+)[ \t]+)"""
                r"""("[^"\n]*"|[^\s;]+)"""
            ),
        ),
        ("snmp", r"""(?i)(\bsnmp\w*[ \t]+[^\n]{0,81}?-c[ \t]*)("[^"\n]*"|[^\s;]+)"""),
        ("sshpass", r"""(\bsshpass[ \t]+-p[ \t]*)("[^"\n]*"|'[^'\n]*'|\S+)"""),
        ("login", r"""(\blogin\b[^\n]{0,120}?[ \t](?:-p|--password)[ \t=]*)("[^"\n]*"|'[^'\n]*'|\S+)"""),
        ("-u", r"""((?<!\S)(?:-u|--user|--proxy-user|-U)[ \t=]*["']?[\w.@\\-]{1,80}:)([^\s"']+)"""),
        (
            "authorization",
            (
                r"""(?i)(\bauthorization\\?["']?[ \t]*:[ \t]*\\?["']?(?:\w+[ \t]+)?)"""
                r"""([^\s"'\\][^"'\n\\]*)"""
            ),
        ),
        ("cookie", r"""(?i)(\b(?:set-)?cookie2?\\?["']?[ \t]*:[ \t]*\\?["']?)([^\s"'\\][^"'\n\\]*)"""),
        ("x-", r"""(?i)(\bx-(?:api|auth|vault|amz-security|csrf|goog-iam)(?:-\w+)*[ \t]*:[ \t]*)([^\s"']+)"""),
        ("sig", r"""(?i)((?:[?&;]|\b)(?:sig|signature)=)([^&\s"'#]{6,})"""),
        ("x-", r"""(?i)(\bx-(?:amz|goog)-(?:credential|signature|security-token)=)([^&\s"'#]+)"""),
        ("key=", r"""(?i)([?&](?:key|code|apikey)=)((?=[^&\s"'#]{0,200}\d)[^&\s"'#]{8,})"""),
        ("-p", r"""(\b(?:mysql|mariadb)\w*[ \t](?:[^\n|;]{0,120}?[ \t])?-p)([^\s;|]+)"""),
        ("from-literal", r"""(--from-literal[= \t]+["']?[\w.-]+=)([^\s"']+)"""),
        ("/services/", r"""(\bhooks\.slack\.com/services/)([^\s"'<>]+)"""),
        ("webhook", r"""(\b[\w.-]{1,100}/(?:api/)?webhook[\w.-]{0,20}/)([^\s"'<>]{16,})"""),
        ("</", r"""(<(?P<name>[\w.:-]{1,80})(?:[ \t][^<>\n]{0,200})?>)(?P<value>[^<>\n]+)(?=</(?P=name)>)"""),
        ("ssh-", r"""(\bssh-(?:rsa|dss|ed25519)[ \t]+)(AAAA[A-Za-z0-9+/=]{16,})"""),
        ("ecdsa-sha2", r"""(\becdsa-sha2-\w+[ \t]+)(AAAA[A-Za-z0-9+/=]{16,})"""),
        ("$", r"""()((?<![\w$])\$(?:1|2[abxy]?|5|6|7|8|9|y|gy|apr1|argon2\w{0,2})\$[^\s:"';]+)"""),
        (
            "value",
            (
                r"""(?m)(^[ \t]*(?:- +)?name:[ \t]*["']?(?P<name>[\w.-]{1,200})["']?[ \t]*\r?\n[ \t]*value:[ \t]*)"""
                r"""(?P<value>\S[^\n]*)"""
            ),
        ),
        (
            "value",
            (
                r"""(?m)(\bname\\?["']?:[ \t]*\\?["']?(?P<name>[\w.-]{1,200})\\?"""
                r"""["']?[ \t]*,\s*\\?["']?value\\?["']?:[ \t]*)(?P<value>\\?"[^"\n\\]*\\?"|'[^'\n]*'|[^\s,}"']+)"""
            ),
        ),
    )
)


def cut(text: str, folded: str, kept: Kept) -> str:
    """Return the text without what stands behind such words. `folded`: it, or more than it, in small letters."""
    for word, pattern in _PHRASES:
        if word in folded:
            text = pattern.sub(kept.second_if_named, text)
    return text
