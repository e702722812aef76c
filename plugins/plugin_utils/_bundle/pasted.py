# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts as they come out of mails, tickets and chats: cleaned, and taken apart where several outputs stand in one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from .._texts import bare_words, lines, readiness, recognise, tried
from . import typed_in, undone_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

# A longer text is a program's own, not somebody's paste.
LARGEST = 4 * 1024 * 1024
_LOOKED_AT = 300
# Terminals are at least as wide.
_NARROWEST = 80
# Somebody wrote it, and not a program: as long as people's reports are.
_LONGEST_PASTE = 256 * 1024
# Kinds of which a paragraph is one whole; and outputs that have empty lines and such paragraphs themselves.
_TABLES = ("pods", "nodes", "daemonsets", "events", "calicoctl-get-nodes", "calicoctl-get-ippools")
_BY_THEMSELVES = ("log", *_TABLES, *tried.KINDS)
_HOLD_ANYTHING = ("describe", "objects")
_QUOTE = re.compile(r"\s{0,3}(?:> ?){1,8}")
_CODE = re.compile(r"`([^`]{8,4000})`")
_SAID = re.compile(r"\s{0,8}(?:Readiness|Liveness) probe failed: |\s{0,8}Warning\s{1,9}Unhealthy\s")
_FENCE = re.compile(r"\s{0,16}(```|~~~)")
_FILE_HEAD = re.compile(r"==> (?P<path>\S.{0,200}?) <==\s*$")
# Word processors and chats put these in the place of what was typed.
_TYPED = str.maketrans(
    {
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u2018": "'",
        "\u2019": "'",
        "\u00a0": " ",
        "\u200b": "",
        "\ufeff": "",
    }
)
# A page's editor makes links of what a program prints, and cuts its line there: of what Go says of a request that
# failed (net/url's Error: Get "URL": why), the reason stands in a line of its own then.
_LINK = re.compile(r"\[(https?://[^\]\s]{1,400})\]\(https?://[^)\s]{1,400}\)")
_REQUEST_CUT = re.compile(r'=(?:Get|Post|Put|Patch|Delete) "(?:https?://\S{1,400}":?)?$')
_TAILED = ("calico-", "canal", "typha", "kube-proxy-")
_POD_BEFORE = re.compile(
    r"(?:\[[a-z][\w.-]{1,252}[ /]?(?:calico-(?:node|typha|kube-controllers)|install-cni|kube-flannel|mount-bpffs)?\]"
    r"|(?:[a-z0-9-]{1,63} )?(?:calico-(?:node|typha|kube-controllers)|canal|kube-proxy)-[\w-]{1,60} "
    r"(?:calico-(?:node|typha|kube-controllers)|install-cni|kube-flannel|mount-bpffs|kube-proxy))"
    r"(?:[ \t]{1,4}|(?=[\t\n])|$)"
)
_FRAME = re.compile("^[\\s\u2502]{0,8}\u2502|\u2502[\\s\u2502]{0,8}$")
_HOSTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\s{0,16}(?:\([^()]{1,40}\) )?\[[\w.-]{1,64}@(?P<host>[\w.-]{1,64})[^\]\[]{0,200}\][$#%]",
        r"\s{0,16}(?:\([^()]{1,40}\) )?[\w.-]{1,64}@(?P<host>[\w.-]{1,64})(?::| [^$#\n]{0,200}[$#%])",
        r"\s{0,16}(?P<host>[\w.-]{1,64}):[\w./~-]{1,100}(?: [\w.-]{1,40})?[$#%]",
        r"\s{0,16}(?P<host>[\w.-]{1,64}):[~/][\w./~-]{0,100}(?:>| #) ",
    )
)
# What is reached by these runs elsewhere than where it is typed.
_ELSEWHERE = re.compile(r"(?:sudo )?(?:kubectl|oc|k|microk8s(?:\.kubectl| kubectl)|k3s kubectl)\b")
_BY_SSH = re.compile(r"(?:sudo )?ssh (?:-\S+ (?:\S+ )?)*(?:[\w.-]+@)?(?P<host>[A-Za-z][\w.-]{0,63}) \S")
_COMMENT = re.compile(
    r"\s#+\s*(?:run |typed |executed )?(?:on|at) (?:(?:node|host) )?(?P<host>[A-Za-z][\w.-]{0,62}\w)\s*$"
)
_NO_HOSTS = (
    "the",
    "each",
    "every",
    "all",
    "both",
    "any",
    "this",
    "that",
    "my",
    "our",
    "node",
    "nodes",
    "host",
    "hosts",
)
# What these print is called so in a bundle.
_SHOWN_FILE = re.compile(
    r"(?:sudo )?(?:z?cat|tail|head|less|more|bat)\b.{0,400}?\s(?P<path>[^\s|<>;&-][^\s|<>;&]{0,250})\s*(?:$|[|;&])"
)
_LOG_OF = re.compile(r"\b(?:logs?|journalctl)\b")
_PROGRAMS = ("install-cni", "typha", "kube-controllers", "kubelet", "kube-flannel", "calico-node", "canal")


class Part(NamedTuple):
    """One output: the host where it was typed ('' if no prompt tells), what was typed, the path that heads it ('' if
    none does), its text, which begins with the prompt, and the pod in whose shell it was typed."""

    host: str
    command: str
    path: str
    text: str
    inside: str = ""


def cleaned(text: str) -> str:
    """Return a text without the marks of a quotation, of a word processor and of a page.

    But for framed tables the number of lines stays.
    """
    if len(text) > LARGEST:
        return text
    if not lines.is_json(text):
        text = _of_pages(text)
    text = _of_terminals(_of_several_pods(text))
    rows = text.split("\n")
    told = [row for row in rows[:_LOOKED_AT] if row.strip()]
    mostly_quoted = told and sum(1 for row in told if row.lstrip()[:1] == ">") * 3 > len(told) * 2
    # What stands in fences beside a quotation is apart from it: see _fenced_quotes.
    if mostly_quoted and not _has_fences(rows):
        text = "\n".join(_QUOTE.sub("", row, count=1) for row in rows)
    return text


def _of_terminals(text: str) -> str:
    """Put the lines of a log together again that a terminal broke at its width, and empty lines in the place of what
    was broken off. One such line may be chance."""
    rows = text.split("\n") if len(text) <= _LONGEST_PASTE and not lines.is_json(text) else []
    width = max(map(len, rows), default=0)
    if width < _NARROWEST or sum(1 for row in rows if len(row) == width) < 2:
        return text
    found: list[str] = []
    # Where the line begins that goes on at the next row, -1 if none does.
    begun, broken = -1, 0
    for number, row in enumerate(rows):
        if begun >= 0 and _goes_on(row):
            found[begun] += row
            found.append("")
            broken += 1
        else:
            begun = number if recognise.is_log_line(row) else -1
            found.append(row)
        begun = begun if len(row) == width else -1
    return "\n".join(found) if broken > 1 else text


def _goes_on(row: str) -> bool:
    """Say whether a row may be the rest of the one above it."""
    starts = row[:1].strip("`~|+-#=> \t")
    return bool(starts) and not recognise.is_log_line(row) and lines.command(row[: lines.LONGEST_LINE]) is None


def _has_fences(rows: list[str]) -> bool:
    return sum(1 for row in rows if _FENCE.match(row)) >= 2


def _of_several_pods(text: str) -> str:
    """Take off what stern, kubetail and the like put before each line: the pod's name and the container's."""
    if not any(name in text for name in _TAILED):
        return text
    rows = text.split("\n")
    told = [row for row in rows[:_LOOKED_AT] if row.strip()]
    if sum(1 for row in told if _POD_BEFORE.match(row)) * 3 <= len(told) * 2:
        return text
    return "\n".join(_POD_BEFORE.sub("", row, count=1) for row in rows)


def _of_pages(text: str) -> str:
    if not text.isascii():
        text = text.translate(_TYPED)
    if "\u2502" in text:
        # k9s and the like frame what they show, and two rows come glued together.
        text = "\n".join(_FRAME.sub("", row) for row in text.replace("\u2502\u2502", "\n").split("\n"))
    if "](http" in text:
        text = "\n".join(_mended(_LINK.sub(r"\1", text).split("\n")))
    return text


def _mended(rows: list[str]) -> list[str]:
    """Put requests that failed together again with their reasons, and empty lines in the place of those."""
    found: list[str] = []
    for number, row in enumerate(rows):
        before = next((index for index in (number - 1, number - 2) if index >= 0 and found[index]), None)
        if row.strip() and before is not None and _REQUEST_CUT.search(found[before].rstrip()):
            glue = "" if found[before].rstrip().endswith(' "') else " "
            found[before] = found[before].rstrip() + glue + row.strip()
            found.append("")
        else:
            found.append(row)
    return found


def parts(text: str) -> list[Part]:
    """Return the outputs in a text; only one where nothing shows that there are more."""
    whole = Part("", "", "", text)
    if len(text) > LARGEST or not any(mark in text for mark in ("$", "#", "==> ", "```", "~~~", "> ", "% ", "**")):
        return _paragraphs(whole)
    cut = undone_rules.applied(list(_cut(text)))
    found = [part._replace(text=_of_several_pods(part.text)) for part in cut if _says_something(part.text)]
    if not found or (len(found) == 1 and not found[0].host and not found[0].path):
        # What was tried by hand says who tried it in its command only.
        by_hand = found and recognise.recognise(found[0].text) in tried.KINDS and _begins_with(text, found[0].command)
        return _paragraphs(whole._replace(command=found[0].command) if by_hand else whole)
    if len(found) == 1 and len(found[0].text) * 2 < len(text):
        # Most of it stands before the prompt, which then says nothing about it.
        return _paragraphs(whole)
    return found


def _begins_with(text: str, command: str) -> bool:
    """Nothing stands before it but commands that say nothing."""
    for row in text.lstrip().split("\n"):
        typed = lines.command(row[: lines.LONGEST_LINE])
        if typed == command or not typed:
            return bool(typed)
    return False


def _paragraphs(whole: Part) -> list[Part]:
    """Take paragraphs apart that nothing but an empty line parts, where logs and tables stand among each other; what is
    neither stays together."""
    text = whole.text
    if len(text) > _LONGEST_PASTE or lines.is_json(text):
        return [whole]
    if "\n\n" not in text:
        return _rows_apart(whole)
    grouped: dict[str, list[str]] = {}
    for paragraph in re.split(r"\n[ \t]*(?:\n[ \t]*)+", lines.plain(text)):
        kind = recognise.recognise(paragraph)
        grouped.setdefault(kind if kind in _BY_THEMSELVES else "", []).append(paragraph)
    rest = recognise.recognise("\n\n".join(grouped.get("", ())))
    alone = "log" not in grouped and "" in grouped and len(grouped) == 2 and not rest
    if rest == "describe" and _are_logs_only(grouped):
        # What kubectl describes has no empty lines but between objects, and indents what programs said.
        return [whole._replace(text="\n\n".join(some) + "\n") for some in grouped.values()]
    if len(grouped) < 2 or alone or rest in _HOLD_ANYTHING:
        return [whole]
    return [whole._replace(text="\n\n".join(some) + "\n") for kind, some in grouped.items() if kind or rest]


def _are_logs_only(grouped: dict[str, list[str]]) -> bool:
    """Say whether all that stands beside a description is logs, each of their lines one that a program wrote."""
    rows = [row for some in grouped.get("log", ()) for row in some.split("\n") if row.strip()]
    return set(grouped) == {"", "log"} and all(recognise.is_log_line(row) and not row[:1].isspace() for row in rows)


def _rows_apart(whole: Part) -> list[Part]:
    """Take a log apart from rows about pods that stand right below or above it."""
    rows = whole.text.split("\n")
    logged = [row for row in rows if recognise.is_log_line(row)]
    if not logged or recognise.recognise(whole.text) != "pods":
        return [whole]
    others = [row for row in rows if not recognise.is_log_line(row)]
    return [whole._replace(text="\n".join(some) + "\n") for some in (others, logged)]


def _cut(text: str) -> Iterator[Part]:
    """Yield what stands between prompts, heads of files, and fences."""
    fenced = _has_fences(text.split("\n"))
    if fenced:
        text = "\n".join(_fenced_quotes(lines.plain(text).split("\n")))
    inside = not fenced
    rows: list[str] = []
    part = Part("", "", "", "")
    shell = ""
    said: list[str] = []
    for row in lines.plain(text).split("\n"):
        if fenced and _FENCE.match(row):
            yield part._replace(text="\n".join(rows) if inside else "")
            inside, rows, part = not inside, [], Part(part.host, "", "", "")
            continue
        head = _FILE_HEAD.match(row) if row.startswith("==> ") else None
        typed = lines.command(row[: lines.LONGEST_LINE])
        if typed is not None or head is not None:
            yield part._replace(text="\n".join(rows) if inside else "")
            path = head.group("path") if head else named(typed or "")
            host = _host(row, typed or "")
            # A prompt with a host's name is not that of a pod's shell, unless it is the pod that is called so.
            shell = "" if host not in ("", shell) or _ELSEWHERE.match(typed or "") else shell
            part = Part(host, typed or "", path, "", shell)
            shell = typed_in.pod(typed or "") if typed_in.opens_shell(typed or "") else shell
            rows = [row]
            if fenced and not inside:
                # Prose quotes commands, too; their output stands in the fences.
                rows = []
        else:
            rows.append(row)
            said += _quoted(row) if fenced and not inside else []
    yield part._replace(text="\n".join(rows) if inside else "")
    for some in ([one for one in said if not readiness.read(one)], [one for one in said if readiness.read(one)]):
        yield Part("", "", "", "\n".join(some))


def _fenced_quotes(rows: list[str]) -> list[str]:
    """Put fences around quotations between fences that begin with a prompt or are an output: they are as good."""
    found: list[str] = []
    quoted: list[str] = []
    inside = False
    for row in [*rows, ""]:
        inside ^= _FENCE.match(row) is not None
        if not inside and row.lstrip()[:1] == ">":
            quoted.append(row)
            continue
        if quoted:
            bare = [_QUOTE.sub("", one, count=1) for one in quoted]
            kind = recognise.recognise("\n".join(bare))
            is_output = lines.command(bare[0][: lines.LONGEST_LINE]) is not None or kind not in ("", "log")
            found += ["```", *bare, "```"] if is_output else quoted
            quoted = []
        found.append(row)
    return found[:-1]


def _quoted(row: str) -> list[str]:
    """Return what prose quotes in a line of its own or between backquotes, and a program of Calico's said."""
    spans = _CODE.findall(row[: lines.LONGEST_LINE]) or ([row] if _SAID.match(row) else [])
    return [one for one in spans if readiness.read(one) or bare_words.is_bare(one) or recognise.is_log_line(one)]


def without_prompt(text: str) -> str:
    """Return a part's text with an empty line in the place of its prompt, for what is no program's output."""
    first, newline, rest = text.partition("\n")
    return newline + rest if newline and lines.command(first) is not None else text


def named(command: str) -> str:
    """Return the path of the file that a command prints, or the name of the log, '' if it prints something else."""
    if _LOG_OF.search(command):
        program = next((word for word in _PROGRAMS if word in command), "")
        if program:
            return f"{program}.log"
    match = _SHOWN_FILE.match(command)
    return match.group("path") if match is not None else ""


def _says_something(text: str) -> bool:
    """Say whether there is an output, and not only a prompt."""
    return any(row.strip() and lines.command(row[: lines.LONGEST_LINE]) is None for row in text.split("\n"))


def _host(row: str, typed: str) -> str:
    """Return the host that a prompt, or a comment behind the command, names; '' if what was typed runs elsewhere."""
    if _ELSEWHERE.match(typed):
        return ""
    commented = _COMMENT.search(typed)
    if commented is not None and commented.group("host").lower() not in _NO_HOSTS:
        return commented.group("host")
    over = _BY_SSH.match(typed)
    if over is not None:
        return over.group("host")
    for pattern in _HOSTS:
        match = pattern.match(row)
        if match is not None:
            return match.group("host")
    return ""
