# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of sessions and of logins as routers' configurations, rules' comments and people spell them: `tcp_md5 key …`,
`authentication-key 7 …`, `password cipher …`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .kept import Kept

# A word of letters alone is a key only where nothing but the end of the line, a quote or a sign follows, and where it
# is none of the words with which daemons and people complain of keys ("md5 password mismatch").
_COMPLAINT = (
    r"(?!(?:mismatch\w*|differs?|different|wrong|incorrect|required|needed|(?:un|re)?set|un?configured|configured|used?|"
    r"using|errors?|fail\w*|chang\w+|reject\w*|accepted|problem|missing|expected|unexpected|rotat\w+|rotation|here|"
    r"there|too|again|only|file|secrets?|keys?|refs?|auth\w*|support\w*|present|absent|ok|found|lost|given|needs?|on|"
    r"off|both|sides?|peers?|mesh|chain|length|limit|option|enabled|disabled|empty|added|removed|updated|matches|match"
    r")(?![\w-]))"
)
_PLAIN = rf"{_COMPLAINT}[A-Za-z]{{4,}}(?=[ \t]*(?:$|[\"'`;]|\\[\"n]|\*/))"
_MIXED = r"(?=[^\s\"'`;,]{0,200}\d)(?=[^\s\"'`;,]{0,200}[A-Za-z])[^\s\"'`\\;,(){}\[\]<>]{4,}"
_QUOTED = r"\\{0,3}\"[^\"\n\\]{1,200}\\{0,3}\"|'[^'\n]{1,200}'"
_VALUE = rf"({_QUOTED}|{_MIXED}|{_PLAIN})"
_BETWEEN = r"(?:[ \t]*[:=][ \t]*|[ \t]+)"
_KIND = r"(?:\d{1,2}[ \t]+|(?:simple-text|clear|plain|encrypted|cipher|simple|irreversible-cipher|hash|text)[ \t]+)"

_KEYS = tuple(
    (sign, re.compile(pattern, re.IGNORECASE | re.MULTILINE))
    for sign, pattern in (
        # "tcp_md5 key …", "md5 password …", "TCP-AO key: …"
        (
            ("md5", "tcp-ao", "tcp_ao", "tcp ao"),
            (
                r"((?<![A-Za-z0-9])(?:(?:tcp[-_ ]?)?md5(?:sig)?|tcp[-_ ]ao)[-_ ](?:key|password|passwd|pass|secret)"
                rf"{_BETWEEN}{_KIND}?){_VALUE}"
            ),
        ),
        # "bgp password …", in a comment
        (("bgp",), rf"((?<![A-Za-z0-9])bgp[-_ ](?:key|password|passwd|pass|pw|secret){_BETWEEN}{_KIND}?){_VALUE}"),
        (
            ("tcp-md5", "tcp_md5", "tcpmd5"),
            rf"((?<![A-Za-z0-9])tcp[-_]?md5{_BETWEEN})({_QUOTED}|{_MIXED})",
        ),
        # A kind or a number before the key: what follows it is nothing else, whatever it looks like.
        (
            ("authentication-key", "key-string", "authentication_key"),
            rf"(\b(?:authentication[-_]key|key-string)[ \t]+{_KIND})({_QUOTED}|[^\s;\"']+)",
        ),
        (("authentication_key",), rf"(\bauthentication_key{_BETWEEN})({_QUOTED}|[^\s;\"']+)"),
        (
            ("password", "secret"),
            (
                r"(\b(?:password|secret)[ \t]+(?:cipher|simple|irreversible-cipher|simple-text|[05789])[ \t]+)"
                rf"({_QUOTED}|[^\s;\"']{{4,}})"
            ),
        ),
        # Routers' keys for others than BGP.
        (
            ("isakmp", "tacacs", "radius"),
            (
                r"(\b(?:isakmp|tacacs(?:-server)?|radius(?:-server)?)\b[^\n]{0,120}?[ \t](?:key|secret)[ \t]+"
                rf"(?:\d{{1,2}}[ \t]+)?)({_QUOTED}|[^\s;\"']{{4,}})"
            ),
        ),
        (
            ("snmp",),
            rf"(\bsnmp[ \t]+(?:[^\s\n]+[ \t]+)?community[ \t]+)({_QUOTED}|[^\s;\"']+)",
        ),
        # WireGuard's, and others', on a command line; what begins like a path names a file.
        (
            ("-key", "_key"),
            (
                r"((?<![\w.])[\w-]{0,40}?(?:private|preshared|pre-shared|access|api|auth)[-_]key[ \t]+)(?![~./])"
                rf"({_QUOTED}|{_MIXED})"
            ),
        ),
        (("passwd",), r"(\becho[ \t]+(?:-\w[ \t]+)?)([^\s|][^|\n]*?)(?=[ \t]*\|[ \t]*(?:sudo[ \t]+)?(?:ch)?passwd\b)"),
    )
)


def cut(text: str, folded: str, kept: Kept) -> str:
    """Return the text without such keys. `folded`: it, or more than it, in small letters."""
    for signs, pattern in _KEYS:
        if any(sign in folded for sign in signs):
            text = pattern.sub(kept.second, text)
    return text
