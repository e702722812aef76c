# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who works here, and for whom: names of people's accounts, of organisations in certificates, of GKE's contexts.

They are replaced where they stand and not looked for elsewhere: people are called by words of everybody's (max, mark).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import vocabulary

if TYPE_CHECKING:
    from .keyed import Keyed

USER, ORGANISATION, WORD = "user", "org", "name"
_LOGIN = r"([A-Za-z_][\w.-]{0,31})"
# The signs of which there is one, and where a login stands.
_LOGINS: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = tuple(
    (signs, re.compile(pattern))
    for signs, pattern in (
        (("/home/",), rf"((?<![\w.-])/home/){_LOGIN}(?![\w.-])()"),
        (("Users",), rf"((?:/|[A-Za-z]:\\{{1,2}})Users[/\\]{{1,2}}){_LOGIN}(?![\w.-])()"),
        (
            ("@",),
            (
                rf"(?m)(^[ \t]{{0,16}}(?:\([^()\n]{{1,40}}\) )?\[?){_LOGIN}"
                r"(?=@[\w.-]{1,253}(?::[^$#%\n]{0,200}[$#%]|:[~/][\w./~-]{0,100}>| [^\]$#%\n]{0,200}[\]$#%]))()"
            ),
        ),
        (
            ("ssh ", "scp ", "rsync ", "sftp "),
            rf"(\b(?:ssh|scp|rsync|sftp)[ \t](?:[^\n@]{{0,200}}[ \t])?){_LOGIN}(?=@[\w.-])()",
        ),
        (("ssh ",), rf"(\bssh[ \t][^\n]{{0,200}}?-l[ \t]?){_LOGIN}(?=[ \t]|$)()"),
        (("-u", "-U"), rf"((?<!\S)(?:-u|-U|--user|--proxy-user)[ \t=]{{0,4}}[\"']?){_LOGIN}(?=:\S)()"),
        (("uid=", "gid=", "groups="), rf"((?:\b(?:[ug]id|groups)=|,)\d{{1,10}}\(){_LOGIN}(\))"),
        (("Accepted ", "Failed "), rf"(\b(?:Accepted|Failed) \w{{1,30}} for (?:invalid user )?){_LOGIN}( from )"),
        ((" for user ",), rf"(\bsession (?:opened|closed) for user ){_LOGIN}(?![\w.-])()"),
        (("TTY=",), rf"(\bsudo(?:\[\d+\])?:[ \t]+){_LOGIN}( : (?:[^\n]{{0,80}} )?TTY=)"),
        (("USER=", "LOGNAME="), rf"(?m)(^[ \t]*(?:USER|LOGNAME|SUDO_USER)=){_LOGIN}([ \t]*$)"),
    )
)
_OWNED = re.compile(rf"(?m)^([bcdlps-](?:[r-][w-][xsStT-]){{3}}[.+]?[ \t]+\d+[ \t]+){_LOGIN}([ \t]+){_LOGIN}(?=[ \t])")
_ORGANISATION = re.compile(
    r"((?:^|[,/+:=\"' \t])(?:O|OU|L|ST|organizationName) ?= ?)(\"[^\"\n]{1,120}\"|[^,/+\"'\\\n]{1,120})"
)
_SUBJECT = re.compile(r"(?m)^[^\n]*\bCN ?=[^\n]*$")
_PUBLIC = re.compile(
    r"(?i)[\"']?(?:system:|kubeadm:|tigera|calico|projectcalico|kubernetes|etcd|k3s|rke|istio|envoy|let's encrypt|"
    r"digicert|globalsign|sectigo|amazon|google|microsoft|internet security|isrg|acme co|openshift|rancher|node|"
    r"redacted)"
)
_GKE = re.compile(r"\bgke_([a-z0-9.:-]+)_([a-z]+(?:-[a-z]+)?-[a-z0-9]+(?:-[a-z])?)_([A-Za-z0-9-]+)")


class People:
    """Replaces such names, each in the same way wherever it stands in one of these places."""

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed

    def replaced(self, text: str) -> str:
        """Return the text with others."""
        for signs, pattern in _LOGINS:
            if any(sign in text for sign in signs):
                text = pattern.sub(self._of_login, text)
        if "\n-r" in text or "\ndrw" in text or text.startswith(("-r", "drw")):
            text = _OWNED.sub(lambda found: f"{found[1]}{self._login(found[2])}{found[3]}{self._login(found[4])}", text)
        if "CN=" in text or "CN =" in text:
            text = _SUBJECT.sub(lambda line: _ORGANISATION.sub(self._of_organisation, line.group()), text)
        if "gke_" in text:
            text = _GKE.sub(lambda found: f"gke_{self._word(found[1])}_{found[2]}_{self._word(found[3])}", text)
        return text

    def _word(self, name: str) -> str:
        return self._keyed.name(WORD, name)

    def _of_login(self, found: re.Match[str]) -> str:
        return f"{found[1]}{self._login(found[2])}{found[3]}"

    def _login(self, login: str) -> str:
        if login.lower() in vocabulary.ACCOUNTS or login.startswith(f"{USER}-"):
            return login
        return self._keyed.name(USER, login)

    def _of_organisation(self, found: re.Match[str]) -> str:
        name = found[2].strip()
        if not name or _PUBLIC.match(name) or name.startswith(f"{ORGANISATION}-"):
            return found.group()
        return found[1] + self._keyed.name(ORGANISATION, name.strip("\"'"))
