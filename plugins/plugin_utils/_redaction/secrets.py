# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in texts: found by the name that they stand under, or by their form, and cut."""

from __future__ import annotations

import base64
import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ...module_utils._cluster.redact import is_secret
from .vocabulary import CUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .keyed import Keyed

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
    r"|AIza[A-Za-z0-9_-]{35}|glpat-[A-Za-z0-9_-]{16,}|K10[0-9a-f]{32,}(?:::\S+)?)"
)
_VALUE = r"""(\\?"(?:[^"\\\n]|\\(?!["]))*\\?"|'[^'\n]*'|[^\s,;&"'{}\[\]()<>|]+)"""
# name=value, name: value, "name": "value"; which names are meant says _is_named().
_NAME = re.compile(r"""(?<![\w.-])([\w.-]{1,200}\\?["']?[ \t]*(?:[:=]|:=|=>)[ \t]*)""")
_NAMED = re.compile(_NAME.pattern + r"""(\$[({]\w+[)}](?![\w$/.-])|""" + _VALUE[1:])
# A line of its own, as in YAML: the value goes to the line's end, with its blanks.
_LINE = re.compile(r"""(?m)^([ \t]*(?:- +)?["']?[\w.-]{1,200}["']?[ \t]*[:=][ \t]+)([^\s|>"'{\[&!][^\n]*)""")
_OPTION = re.compile(r"(--?[\w-]{1,60}[ \t]+)" + _VALUE)
_BIRD = re.compile(r'(\bpassword[ \t]+)("[^"\n]*"|[^\s";]+)(?=[ \t]*;)')
# What is written behind such a word without a sign in between.
_SAID = re.compile(
    r"""(?i)((?<![\w.])(?:[\w-]{0,40}?(?:password|passwd|passphrase|pass|pwd|secret|token|psk)|pw)"""
    r"""[ \t]+(?:\d{1,2}[ \t]+|"""
    r"""encrypted[ \t]+|is[ \t]+)?)((?!(?:Mesh|Node|Global)_)(?=[^\s"';,]*\d)(?=[^\s"';,]*[A-Za-z])"""
    r"""(?!\d+(?:\.\d+){3}|v?\d+\.\d+|\d{4}-)[^\s"';,]{6,})"""
)
# Words of routers' and daemons' configurations, of command lines and of HTTP, and what follows them.
_PHRASES = tuple(
    (word, re.compile(pattern))
    for word, pattern in (
        (
            "password",
            r"""(?im)(\bneighbor[ \t]+\S+[ \t]+password[ \t]+(?:\d{1,2}[ \t]+|encrypted[ \t]+)?)(\S[^\n]*)""",
        ),
        ("password", r"""(?im)(^[ \t]*password[ \t]+)("[^"\n]+"|[^\s;]+)(?=[ \t]*;?[ \t]*$)"""),
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
        ("community", r"""(?i)(\bsnmp\w*[ \t]+-[^\n]{0,80}?-c[ \t]*)("[^"\n]*"|[^\s;]+)"""),
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
# The value is below its name: a block, or a line of one word.
_BELOW = re.compile(
    r"""(?m)^(?P<indent>[ \t]*)(?:- +)?["']?(?P<name>[\w.-]{1,200})"""
    r"""["']?[ \t]*[:=](?:[ \t]*(?P<block>[|>][+\d-]{0,2}))?[ \t]*\n"""
)
_ONE_WORD = re.compile(r"[ \t]*(?!- |---)[^\s:{\[]+(?::[^\s:]+)?[ \t]*$")
_OF_SECRET = re.compile(r"(?m)^kind:[ \t]*[\"']?Secret\b")
_DATA = re.compile(r"(?m)^(?:data|stringData):[ \t]*\n((?:[ \t]+[^\n]*\n?|[ \t]*\n)+)")
_DATUM = re.compile(r"(?m)(^[ \t]+[\w.-]+:[ \t]*)(\S[^\n]*)")
_OTHERS_NAMED = re.compile(r"(?i)(?:(?:key|cert(?:ificate)?|authority|ca)[_-]?data|cabundle)$")
_WIREGUARD = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=(?![A-Za-z0-9+/=])")
_MAY_BE_WIREGUARD = re.compile(r"=(?<=[A-Za-z0-9+/]{43}=)(?![A-Za-z0-9+/=])")
_CREDENTIAL_SIGNS = ("AKIA", "ASIA", "AROA", "AIDA", "gho_", "ghp_", "ghs_", "ghu_", "xox", "AIza", "glpat-", "K10")
_LONG = re.compile(
    r"(?<![A-Za-z0-9+/=_.-])(?=[A-Za-z0-9+/_-]*[0-9])(?=[A-Za-z0-9+/_-]*[A-Z])[A-Za-z0-9+/_-]{40,}={0,2}(?![A-Za-z0-9+/=_.-])"
)
_ARN = re.compile(r"\barn:(aws[\w-]*):([\w-]*):([\w-]*):(\d{12}|[\w-]*):([^\s\"',\]})]+)")
_ECR = re.compile(r"(?<!\d)\d{12}(?=\.dkr\.ecr\.)")
_ACCOUNT_NAMED = re.compile(
    r"(?i)((?:account|owner|project|tenant|subscription)[_ -]?(?:id|number)?\\?[\"']?\s*[:=]\s*\\?[\"']?)(\d{9,14})\b"
)
_AZURE = re.compile(
    r"(?i)(/?subscriptions/)([^/\s\"']+)((?:/resourcegroups/[^/\s\"']+)?(?:/providers/[\w.]+(?:/[\w.-]+)*)?)"
)
_AZURE_NAMES = re.compile(
    r"(?i)((?:resourcegroups|virtualmachines|virtualmachinescalesets|networkinterfaces|virtualnetworks|subnets|disks|"
    r"managedclusters|networksecuritygroups|routetables|loadbalancers|userassignedidentities)/)([\w.()-]+)"
)
_GCE = re.compile(r"(gce://)([^/\s\"']+)/([^/\s\"']+)/([^/\s\"']+)")
_GCP = re.compile(
    r"(projects/)([a-z0-9:.-]+)((?:/(?:global|zones/[\w-]+|regions/[\w-]+))?/?(?:(?:instances|networks|subnetworks|serviceAccounts|disks)/)?)([a-z0-9._@-]*)"
)
_PROVIDER = re.compile(
    r"((?:providerID|provider-id)\\?[\"']?:\s*\\?[\"']?(?!aws|gce|azure)[a-z][\w-]*://)([^\s\"',]+)"
    r"|((?<![\w])(?:ibm|openstack|vsphere|digitalocean|hcloud|linode|equinixmetal|packet|oci|baremetalhost|metal3|k3s|"
    r"rke2|kind)://)([^\s\"',]+)"
)
# A reference to a variable is harmless, a path is not: passwords begin with any letter.
_HARMLESS = re.compile(
    r"\\?[\"']?(?:true|false|null|none|nil|yes|no|all|some|<[^>]*>|\(?cut\)?|REDACTED|…|\*+|x+|\d{1,2}|"
    r"(?-i:\$[A-Z][A-Z_]*[A-Z])|\$\{\w+\}|\$\(\w+\)|"
    r"\(private|is|was|not|has|for|and|from|in|to|of|the|file|failed|expired|invalid|missing|authentication)?\\?[\"']?$",
    re.IGNORECASE,
)
_PATH = re.compile(r"\\?[\"']?[~.]{0,2}/")
_NAMED_BY = (
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "psk",
    "credential",
    "data",
    "bundle",
    "auth",
    "cookie",
    "licen",
    "signing",
    "dsn",
    "connstr",
    "conn_str",
    "connectionstr",
    "connection_str",
    "community",
    "pw ",
)
IN_BASE64 = "in base64"
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-")
_LEAST = 6
_WORDS_ONLY = re.compile(r"[A-Za-z]{1,7}$|[a-z]+(?:[-_. ][a-z]+)*$|v?\d+(?:\.\d+)*$")
_ENTROPY = 4.3


class Secrets:
    """Cuts secrets, and keeps in memory what they were, to look for them elsewhere."""

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed
        self.found: set[str] = set()
        # What replaces keys that must be told apart from each other.
        self.made: set[str] = set()

    def take(self, value: str) -> None:
        """Remember the value of a secret, if it is one that would be known again."""
        unpacked = _unpacked(value)
        several = [part.strip() for text in (value, unpacked) if "\n" in text for part in text.split("\n")]
        for part in (value.strip(), unpacked, *(part for part in several if len(part) >= 2 * _LEAST)):
            if len(part) >= _LEAST and not _WORDS_ONLY.match(part) and part != CUT:
                self.found.add(part)

    def cut(self, text: str) -> str:
        """Return the text without secrets."""
        for sign, pattern in _SIGNS:
            if sign in text:
                text = pattern.sub(self._whole, text)
        if _MAY_BE_WIREGUARD.search(text):
            text = _WIREGUARD.sub(self._public_key, text)
        if "://" in text:
            text = _URL.sub(self._user, text)
        folded = text.lower()
        if "bearer" in folded or "basic" in folded:
            text = _BEARER.sub(self._second, text)
        for word, pattern in _PHRASES:
            if word in folded:
                text = pattern.sub(self._variable if word == "value" else self._second, text)
        if any(word in folded for word in _NAMED_BY):
            text = self._below(text)
            text = on_lines_with(text, _NAMED_BY, self._named)
        if any(sign in text for sign in _CREDENTIAL_SIGNS):
            text = _CREDENTIAL.sub(self._whole, text)
        text = _BOOTSTRAP.sub(self._bootstrap, text)
        text = _LONG.sub(self._long, text)
        return self._cloud(text, folded)

    def _whole(self, match: re.Match[str]) -> str:
        self.take(match.group())
        return CUT

    def _user(self, match: re.Match[str]) -> str:
        self.take(match.group()[:-1].rpartition(":")[2])
        return f"{CUT}@"

    def _second(self, match: re.Match[str]) -> str:
        value = match["value"] if "value" in match.re.groupindex else match.group(2)
        if _HARMLESS.match(value):
            return match.group()
        quoted = re.match(r"(\\?[\"']?)(.*?)(\\?[\"']?)$", value, re.DOTALL)
        before, inner, after = quoted.groups() if quoted else ("", value, "")
        self.take(inner)
        return f"{match.group(1)}{before}{CUT}{after}"

    def _named(self, line: str) -> str:
        line = _LINE.sub(self._if_named, line) if line[:1] != "{" else line
        line = self._assigned(_BIRD.sub(self._second, line))
        return _SAID.sub(self._second, _OPTION.sub(self._if_named, line) if "-" in line else line)

    def _assigned(self, line: str) -> str:
        """Cut the values of secrets; what stands behind another name may be the next name ("failed: token=…")."""
        made: list[str] = []
        done = 0
        for name in _NAME.finditer(line):
            if name.start() < done or not _is_named(_name_before(name.group(1))):
                continue
            match = _NAMED.match(line, name.start())
            if match is not None:
                made += (line[done : match.start()], self._if_named(match))
                done = match.end()
        return "".join((*made, line[done:])) if made else line

    def _if_named(self, match: re.Match[str]) -> str:
        name = _name_before(match.group(1))
        if not _is_named(name) or (name in ("PWD", "OLDPWD") and _PATH.match(match.group(2))):
            return match.group()
        if harmless(match.group(2).rstrip(" \t\r,")):
            return match.group()
        return self._second(match)

    def _variable(self, match: re.Match[str]) -> str:
        return self._second(match) if _is_named(match["name"]) else match.group()

    def _below(self, text: str) -> str:
        """Cut values that stand on the lines below their names, and those of Secrets that are no whole YAML."""
        if "kind: Secret" in text and _OF_SECRET.search(text):
            text = _DATA.sub(lambda found: _DATUM.sub(self._second, found.group()), text)
        made: list[str] = []
        done = 0
        for match in _BELOW.finditer(text):
            if match.start() < done or not _is_named(match["name"]):
                continue
            end = _end_of_block(match) if match["block"] else _end_of_word(match)
            value = text[match.end() : end]
            if not value.strip() or harmless(value.strip()):
                continue
            self.take(value.strip())
            made += (text[done : match.end()], value[: len(value) - len(value.lstrip())], CUT)
            made.append("\n" if value.endswith("\n") else "")
            done = end
        return "".join((*made, text[done:])) if made else text

    def _bootstrap(self, match: re.Match[str]) -> str:
        if not any(letter.isdigit() for letter in match.group(1)):
            return match.group()
        self.take(match.group(1))
        return f".{CUT}"

    def _public_key(self, match: re.Match[str]) -> str:
        made = self._keyed.base64(match.group())
        self.take(match.group())
        self.made.add(made)
        return made

    def _long(self, match: re.Match[str]) -> str:
        if match.group() in self.made:
            return match.group()
        return (
            self._whole(match)
            if entropy(match.group()) >= _ENTROPY and not is_made_of_words(match.group())
            else match.group()
        )

    def _cloud(self, text: str, folded: str) -> str:
        """Replace what names somebody's account, project or machine at a provider, and keep which provider it is."""
        name = self._keyed.name
        if "arn:" in folded:
            text = _ARN.sub(
                lambda found: f"arn:{found[1]}:{found[2]}:{found[3]}:{self._digits(found[4])}:{name('name', found[5])}",
                text,
            )
        if ".dkr.ecr." in folded:
            text = _ECR.sub(lambda found: self._digits(found.group()), text)
        if "account" in folded or "owner" in folded or "project" in folded:
            text = _ACCOUNT_NAMED.sub(lambda found: found[1] + self._digits(found[2]), text)
        if "subscriptions/" in folded:
            text = _AZURE.sub(self._azure, text)
        if "gce://" in text:
            text = _GCE.sub(lambda found: f"{found[1]}{name('name', found[2])}/{found[3]}/{found[4]}", text)
        if "projects/" in folded:
            text = _GCP.sub(lambda found: f"{found[1]}{name('name', found[2])}{found[3]}{found[4]}", text)
        if "://" in text:
            text = _PROVIDER.sub(lambda found: f"{found[1] or found[3]}{self._path(found[2] or found[4])}", text)
        return text

    def _digits(self, text: str) -> str:
        return self._keyed.number(text) if text.isdigit() else text

    def _azure(self, found: re.Match[str]) -> str:
        hexadecimal = bool(re.match(r"[0-9a-fA-F-]{36}$", found[2]))
        who = self._keyed.hexadecimal(found[2]) if hexadecimal else self._keyed.name("name", found[2])
        return found[1] + who + _AZURE_NAMES.sub(lambda part: part[1] + self._keyed.name("name", part[2]), found[3])

    def _path(self, text: str) -> str:
        return "/".join(
            part
            and (
                self._keyed.hexadecimal(part)
                if re.match(r"[0-9a-f-]{32,36}$", part)
                else self._keyed.name("name", part)
            )
            for part in text.split("/")
        )


_SIGNS: tuple[tuple[str, re.Pattern[str]], ...] = (("-----BEGIN ", _PEM), ("LS0tLS1CRUdJTi", _PEM64), ("eyJ", _JWT))


def _is_named(name: str) -> bool:
    """Say whether what follows this name in a text is to be cut."""
    return is_secret(name) or bool(_OTHERS_NAMED.search(name))


def _name_before(written: str) -> str:
    """Return the name in what stands before a value: without quotes, dashes and the sign behind it."""
    found = re.findall(r"[\w.-]+", written)
    return found[-1].strip("-.") if found else ""


def _end_of_block(match: re.Match[str]) -> int:
    """Return where a block of YAML ends: before the next line that is indented no deeper than its name."""
    text = match.string
    end, deep = match.end(), len(match["indent"])
    while end < len(text):
        after = text.find("\n", end)
        line = text[end : after if after >= 0 else len(text)]
        if line.strip() and len(line) - len(line.lstrip(" \t")) <= deep:
            break
        end = after + 1 if after >= 0 else len(text)
    return end


def _end_of_word(match: re.Match[str]) -> int:
    """Return where the line ends that begins behind the match if it is one word, else where it begins."""
    text, start = match.string, match.end()
    after = text.find("\n", start)
    end = after if after >= 0 else len(text)
    return end if _ONE_WORD.match(text[start:end]) else start


def on_lines_with(text: str, words: Iterable[str], change: Callable[[str], str]) -> str:
    """Return the text with those lines changed that hold one of the words, in capitals or not."""
    folded = text.lower()
    if len(folded) != len(text):  # some capitals become several small letters
        return change(text)
    starts: set[int] = set()
    for word in words:
        at = folded.find(word)
        while at >= 0:
            starts.add(folded.rfind("\n", 0, at) + 1)
            end = folded.find("\n", at)
            at = folded.find(word, end) if end >= 0 else -1
    made: list[str] = []
    done = 0
    for start in sorted(starts):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        made += (text[done:start], change(text[start:end]))
        done = end
    return "".join((*made, text[done:])) if made else text


def holds_secrets(name: str) -> bool:
    """Say whether what stands under this key is a secret, a key or a certificate."""
    folded = name.lower()
    return (
        is_secret(name) or folded.endswith(("-data", "cabundle", ".crt", ".key", ".pem")) or folded in ("cacert", "tls")
    )


def harmless(value: str) -> bool:
    """Say whether a value under a secret's name is none: a switch, a number, a variable, a mark of a cut."""
    return bool(_HARMLESS.match(value))


def is_key(key: Any) -> bool:
    """Say whether a key under a secret's name is a secret itself: capitals, small letters and digits, without order."""
    text = str(key)
    mixed = all(re.search(letters, text) for letters in ("[A-Z]", "[a-z]", "[0-9]"))
    return len(text) >= 8 and mixed and text not in REFERENCES


def entropy(text: str) -> float:
    """Return the Shannon entropy of a text in bits per letter."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values()) if text else 0.0


def is_made_of_words(text: str) -> bool:
    """Say whether a long text is words in a row (a path, a Go name) rather than random letters."""
    parts = re.findall(r"[A-Z]?[a-z]{3,}|[A-Z]{3,}|\d+", text)
    return 2 * sum(map(len, (part for part in parts if len(part) >= 4))) >= len(text)


def encodings(value: str) -> Iterable[tuple[str, str]]:
    """Yield a secret in the ways in which it may be written, with what each is called."""
    raw = value.encode("utf-8", "surrogatepass")
    yield "", value
    yield "quoted for a URL", quote(value, safe="")
    yield "in hexadecimal", raw.hex()
    for shift in range(3):
        # In the middle of something longer base64 depends on where the value begins; its edges do on the neighbours.
        coded = base64.b64encode(bytes(shift) + raw).decode().rstrip("=")
        inner = coded[(0, 2, 3)[shift] : len(coded) - 1]
        if len(inner) >= 8:
            yield IN_BASE64, inner


def _unpacked(value: str) -> str:
    """Return the text that a value is the base64 of, '' if it is of none."""
    try:
        text = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except ValueError:
        return ""
    return text.strip() if text.isprintable() or "\n" in text else ""


def everywhere(text: str, found: Iterable[str]) -> str:
    """Return the text without these values, wherever and in whatever way they are written."""
    for value in sorted(found, key=len, reverse=True):
        for how, written in encodings(value):
            if written in text:
                text = _without_run(text, written) if how == IN_BASE64 else text.replace(written, CUT)
    return text


def _without_run(text: str, written: str) -> str:
    """Cut whole runs of base64 in which this stands: the letters at its edges belong to it in part."""
    made: list[str] = []
    done = at = 0
    while (at := text.find(written, done)) >= 0:
        start, end = at, at + len(written)
        while start > done and text[start - 1] in _BASE64:
            start -= 1
        while end < len(text) and text[end] in _BASE64:
            end += 1
        made += (text[done:start], CUT)
        done = end
    return "".join((*made, text[done:]))


def in_data(value: Any, secrets: Secrets, *, under: bool = False, depth: int = 0) -> None:
    """Take in the secrets of JSON or YAML data."""
    if isinstance(value, str):
        if under and not harmless(value):
            secrets.take(value)
    elif isinstance(value, list) and depth < 60:
        for item in value:
            in_data(item, secrets, under=under, depth=depth + 1)
    elif isinstance(value, dict) and depth < 60:
        of_kind = value.get("kind") == "Secret"
        variable = isinstance(value.get("name"), str) and "value" in value and holds_secrets(value["name"])
        for key, item in value.items():
            if under and is_key(key):
                secrets.take(str(key))
            inside = (
                (of_kind and key in ("data", "stringData"))
                or (variable and key == "value")
                or (holds_secrets(str(key)))
                or (under and key not in REFERENCES)
            )
            in_data(item, secrets, under=inside, depth=depth + 1)


REFERENCES = frozenset(
    (
        "name",
        "key",
        "namespace",
        "optional",
        "path",
        "secretName",
        "kind",
        "apiGroup",
        "apiVersion",
        "mode",
        "keys",
        "why",
        "exists",
        "readable",
    )
)
