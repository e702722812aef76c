# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The redaction of several files at once: first all of them are learnt from, then each is replaced, then all are looked
through for leaks."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ...module_utils._facts import packing
from ...module_utils._inet import octets
from .._bundle.spool import Spool
from .._bundle.write import ENVIRONMENT, INDEX
from .._cluster import documents
from .._peering.real_addresses import FILE
from . import blocks, learn, letters, record, scan
from .addresses import Addresses, is_network
from .data import Data
from .keyed import Keyed
from .secrets import structured, written
from .secrets.cutter import Secrets
from .spelling import Speller
from .texts import Texts
from .words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, MutableMapping

# Single digits in a long row are an address of IPv6, backwards.
_FOUR = re.compile(
    r"(?<!\d)(?<!\d\.)(?<!\.[a-f]\.)(\d{1,3}(?:\.\d{1,3}){3})(?!\d|(?:\.[0-9a-f]\b){2})(?:/(\d{1,2})(?!\d))?"
)
# As Calico calls blocks and affinities, also of those that are in no list any more.
_BLOCK = re.compile(r"(?<!\d)(?=(\d{1,3}(?:-\d{1,3}){3})-(2\d|3[01])(?![-\w]))")
_NAMED = re.compile(r"(?:Mesh|Node|Global|Local_Workload)_([0-9A-Fa-f_]+)")
_SIX = re.compile(r"(?<![\w:])(?=[0-9A-Fa-f:]{0,9}:)[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,8}(?![\w])")
_MAC = re.compile(r"(?<![\w:-])(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w:-])")
_BARE_MAC = re.compile(r"(?<![\w:.-])[0-9a-f]{12}(?![\w:-])")
_ONE_WORD = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?$")
_LONGEST_NAME = 253
_LARGEST_OBJECTS = 64 * 1024 * 1024
# Short names of containers look like a MAC address without its colons; a log may hold any number of them.
_MOST_BARE = 50_000


class Redacted(NamedTuple):
    """Files as they may be shared, by their new paths; and where something still leaks: then nothing may be written.

    `sensitive`: how many of each kind were replaced or cut.
    """

    texts: MutableMapping[str, str]
    leaks: list[scan.Leak]
    sensitive: dict[str, int]


class Redactor:
    """The redaction of one set of files under one key."""

    def __init__(self, key: str, words: Iterable[str] = ()) -> None:
        self._keyed = Keyed(key)
        self._names = learn.Names()
        self._secrets = Secrets(self._keyed)
        self._addresses = Addresses(self._keyed)
        self._seen: set[bytes] = set()
        self._bare = 0
        # Texts without secrets, by what they were: worked out when they were learnt from.
        self._cut = Spool()
        self._learnt: set[tuple[str, str]] = set()
        self._networks: set[tuple[bytes, int]] = set()
        self._ordered: set[str] = set()
        for word in words:
            # As it may have been copied out of a text, with its quotes or what fills up base64.
            bare = word.strip("\"'`.,;:=()[]{}<> \t\n")
            if len(bare) <= _LONGEST_NAME and _ONE_WORD.match(bare):
                self._names.strict.add(bare.lower())
            elif bare:
                self._secrets.found.add(bare)

    def learn(self, given: Mapping[str, str]) -> None:
        """Take in what is in files that are to be redacted, before any of them is."""
        for path in given:
            mark = _mark(given[path])
            if (path, mark) in self._learnt:
                continue
            self._learnt.add((path, mark))
            text = letters.plain(given[path])
            learn.from_path(path, self._names)
            data = _json(text)
            if data is not None:
                self._learn(path, text, data)
                self._secrets.cut(text)
                continue
            cut = []
            for piece in _pieces(path, text):
                self._learn(path, piece, None)
                cut.append(self._secrets.cut(piece))
            self._cut[mark] = "".join(cut)

    def learn_data(self, found: Any) -> None:
        """Take in what is in JSON data that is to be redacted."""
        dumped = json.dumps(found, ensure_ascii=False)
        self._learn("", dumped, found)
        self._secrets.cut(dumped)

    def texts(self, given: Mapping[str, str], into: MutableMapping[str, str] | None = None) -> Redacted:
        """Redact files, given by their paths in a bundle. `into`: what is to hold them afterwards."""
        self.learn(given)
        rewriter = self._rewriter()
        made: MutableMapping[str, str] = {} if into is None else into
        for path in sorted(given):
            if path != FILE:
                content = self._everywhere(self._file(path, given[path], rewriter))
                made[self._free(made, self._path(path, rewriter))] = content
        made[FILE] = record.make(self._ordered, self._addresses, given.get(FILE, ""))
        return self._result(made, rewriter)

    def _file(self, path: str, original: str, rewriter: Texts) -> str:
        text = letters.plain(original)
        cut = self._cut.get(_mark(original))
        if cut is None:
            return _spelled(Data(rewriter).value(_json(text)), text)
        known = self._everywhere(text)
        if known != text:
            # Whole secrets first: what they stand in may have been taken apart otherwise.
            cut = "".join(map(self._secrets.cut, _pieces(path, known)))
        return "".join(map(rewriter.without_names, _pieces(path, cut)))

    def data(self, found: Any) -> tuple[Any, list[scan.Leak], dict[str, int]]:
        """Redact JSON data such as a report; where it leaks, and how much was replaced."""
        self.learn_data(found)
        rewriter = self._rewriter()
        content = self._everywhere(json.dumps(Data(rewriter).value(found), ensure_ascii=False))
        result = self._result({"the report": content}, rewriter)
        return json.loads(content), result.leaks, result.sensitive

    def name(self, of: str) -> str:
        """Return what the name of a node or an address became, after something was redacted."""
        return self._rewriter().words.named(of)

    def path(self, of: str) -> str:
        """Return what a file's name becomes."""
        return self._path(of, self._rewriter())

    def _result(self, made: MutableMapping[str, str], rewriter: Texts) -> Redacted:
        replaced = {raw for raw in self._seen if self._addresses.raw(raw) != raw}
        replacements = {self._addresses.raw(raw) for raw in self._seen}
        for raw, length in self._networks:
            made_of_it = self._addresses.network(raw, length)
            replacements.add(made_of_it)
            if made_of_it != raw:
                replaced.add(raw)
        names = self._names.strict - rewriter.words.made
        secret, made_of_keys = self._secrets.found, self._secrets.made
        originals = scan.Originals(names, replaced, secret, replacements, made_of_keys, rewriter.words.schemes)
        count = {
            "names": len(self._names.strict | self._names.common),
            "addresses": len(replaced),
            "secrets": len(self._secrets.found),
        }
        return Redacted(made, list(scan.leaks(made, originals)), count)

    def _rewriter(self) -> Texts:
        speller = Speller(self._addresses, self._seen, self._networks)
        words = Words(self._keyed, self._names, speller)
        return Texts(words, self._names, self._secrets, speller)

    def _learn(self, path: str, text: str, data: Any) -> None:
        """Take in names, secrets and addresses of a file."""
        found = [data] if data is not None else []
        if data is None and len(text) <= _LARGEST_OBJECTS and _is_yaml(path, text):
            found = list(documents.read(text).objects)
        for one in found:
            learn.from_data(one, self._names)
            learn.from_list_name(path, one, self._names)
            structured.learn(one, self._secrets)
            self._packed(one)
        learn.from_text(text, self._names)
        self._learn_addresses(scan.words(text), ordered=not path.endswith(".log"))

    def _learn_addresses(self, text: str, *, ordered: bool) -> None:
        self._learn_prefixes(text, ordered=ordered)
        for found in {match.group() for match in _SIX.finditer(text)}:
            raw = octets(found)
            if raw:
                self._see(raw, ordered=ordered)
        for found in {match.group(1) for match in _NAMED.finditer(text)}:
            raw = octets(found.replace("_", ".")) or octets(found.replace("_", ":"))
            if raw:
                self._see(raw, ordered=True)
        for match in _MAC.finditer(text):
            self._seen.add(bytes.fromhex(match.group().replace(match.group(1), "")))
        bare = {bytes.fromhex(found) for found in _BARE_MAC.findall(text) if not found.isdigit()} - self._seen
        self._seen.update(itertools.islice(bare, max(0, _MOST_BARE - self._bare)))
        self._bare += len(bare)

    def _learn_prefixes(self, text: str, *, ordered: bool) -> None:
        """Addresses of IPv4 with and without their masks."""
        for address, length in set(_FOUR.findall(text)):
            raw = octets(address)
            if raw and length and is_network(raw, int(length)):
                self._networks.add((raw, int(length)))
            elif raw:
                self._see(raw, ordered=ordered)
                if length:
                    self._addresses.learn(raw, int(length))
        for address, length in set(_BLOCK.findall(text)):
            raw = octets(address.replace("-", "."))
            if raw and is_network(raw, int(length)):
                self._networks.add((raw, int(length)))

    def _see(self, raw: bytes, *, ordered: bool) -> None:
        self._seen.add(raw)
        if ordered:
            self._ordered.add(record.spelled(raw))

    def _packed(self, value: Any, depth: int = 0) -> None:
        """Addresses that the facts hold packed."""
        if depth > 60:
            return
        if isinstance(value, list):
            for item in value:
                self._packed(item, depth + 1)
        elif isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, str) and isinstance(key, str) and (octets(f"{key}.0") or octets(f"{key}:0")):
                    for address in packing.unpack({key: item}):
                        self._see(octets(address), ordered=True)
                else:
                    self._packed(item, depth + 1)
            self._subnet(value)

    def _subnet(self, value: Mapping[str, Any]) -> None:
        for address, length in (("local", "prefixlen"), ("address", "prefix")):
            raw, bits = value.get(address), value.get(length)
            if isinstance(raw, str) and isinstance(bits, int) and octets(raw):
                self._addresses.learn(octets(raw), bits)

    def _everywhere(self, text: str) -> str:
        return written.everywhere(text, self._secrets.found)

    def _path(self, path: str, rewriter: Texts) -> str:
        parts = path.split("/")
        of_node = len(parts) > 2 and parts[0] == "nodes"
        return "/".join(
            rewriter.words.named(part) if of_node and at == 1 and rewriter.is_common(part) else rewriter.words_of(part)
            for at, part in enumerate(parts)
        )

    @staticmethod
    def _free(made: Mapping[str, str], path: str) -> str:
        number, found = 1, path
        while found in made:
            number += 1
            found = f"{path}.{number}"
        return found


def _json(text: str) -> Any:
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, (dict, list)) else None


def _mark(text: str) -> str:
    """Return what tells this text from any other."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def _pieces(path: str, text: str) -> Iterator[str]:
    """Yield a text in the pieces in which it is read: one, if it is an object that is read as a whole."""
    return iter((text,)) if path.endswith((".yaml", ".yml")) else blocks.of(text)


def _is_yaml(path: str, text: str) -> bool:
    if path in (ENVIRONMENT, INDEX) or path.endswith((".yaml", ".yml")):
        return True
    return "apiVersion" in text or "kind: " in text


def _spelled(value: Any, before: str) -> str:
    """Write data as it was written before: on one line or on many."""
    return json.dumps(value, indent=2 if "\n" in before.strip()[:500] else None, ensure_ascii=False) + "\n"
