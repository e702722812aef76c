# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts from bird.cfg, as confd writes it for Calico or as a person would.

The file is cut into statements, with comments, strings, braces and includes respected; of those, the few that describe
sessions are understood and all others passed over. A configuration that BIRD itself rejects is read as far as it goes:
that it is broken is often the very fault looked for.

What follows the word "password" is dropped where statements are cut, so that no later code ever holds one.
"""

from __future__ import annotations

import os
import re

from .._numbers import is_whole
from .._record import NamedTuple
from .._unread import MOST, note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .._unread import Unread

    Reader = Callable[[str], "str | None"]

_DEEPEST_INCLUDE = 8
_MOST_INCLUDES = 64
_OPEN, _CLOSE, _END = "{", "}", ";"
_OFF = ("no", "off")
_CHECKED = ("neighbor", "router")
_SETTINGS = ("ttl", "source", "disabled", "passive", "multihop", "neighbor", "password", "passwords")
_TIMES = ("hold", "keepalive")
# One piece of text: plain words, a string, a quoted name, a comment or a mark. A string ends at the line's end at the
# latest, as in BIRD's own reader; a comment that is never closed runs to the end of the file.
_PIECE = re.compile(
    r"""(?P<words>[^;{}"'\#/]+)|"(?P<string>[^"\n]*)"?|'(?P<name>[^'\n;{}]*)'"""
    r"""|(?P<comment>\#[^\n]*|/\*.*?(?:\*/|\Z))|(?P<mark>[;{}])|(?P<other>.)""",
    re.DOTALL,
)
_ADDRESS = re.compile(r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)(?:%[\w.-]+)?$")
_DISABLED = r"#\s*IPv[46] disabled on this node"
# In the mesh's list of nodes confd's templates leave this one out, and say so.
_OURSELVES = re.compile(r"#\s*Skipping ourselves \(([0-9A-Fa-f.:]{2,45})\)")
_TUNNEL = "krt_tunnel"


class Peering(NamedTuple):
    """One `protocol bgp` with what it takes over from its template. '' and None: not configured.

    `direct` says whether the peer has to be in a connected subnet: by that word, or in another AS without `multihop`.
    """

    name: str
    peer: str
    peer_as: int | None
    port: int | None
    local_as: int | None
    source: str
    passive: bool
    password: bool
    disabled: bool
    multihop: bool
    ttl_security: bool
    direct: bool = False
    hold_time: int | None = None
    keepalive_time: int | None = None


class Config(NamedTuple):
    """What a bird.cfg and the files that it includes say.

    `disabled` is confd's remark that this node has no address of the family, `duplicate_names` are protocols defined
    more than once (BIRD rejects the whole file then), `missing` the included files that could not be read, `files`
    those that were, `tunnels` the devices that routes are sent into by `krt_tunnel`. `unbalanced` says of what there is
    too much where braces do not match (BIRD rejects that, too), else ''. `unread` are the statements that were not
    understood although they are about a session or the router ID, or have no end: lines of one file, then its path.
    `own_address` is by confd's remark the one of this node, which it leaves out of the mesh.
    """

    router_id: str
    local_as: int | None
    listen_address: str
    listen_port: int | None
    disabled: bool
    peerings: list[Peering]
    duplicate_names: list[str]
    files: list[str]
    missing: list[str]
    tunnels: list[str]
    unbalanced: str = ""
    unread: tuple[Unread, str] = ([], "")
    own_address: str = ""


class _Statement(NamedTuple):
    """Words up to a mark: ';' (a statement), '{' (the head of a block) or '}' (its end; words before it are stray).

    `at` is where in the text the mark is, -1 if it never came.
    """

    words: list[str]
    mark: str
    at: int


class _Block:
    """The settings of one `protocol bgp` or `template bgp`: first words of its statements with what follows them."""

    def __init__(self, name: str, template: str) -> None:
        self.name = name
        self.template = template
        self.settings: dict[str, list[str]] = {}


def parse(path: str, read: Reader) -> Config:
    """Read the configuration at `path` by `read`, which returns a file's text or None, and follow its includes."""
    files = _Files(read)
    facts = _Facts()
    depth = stray = 0
    block: _Block | None = None
    for statement in files.statements(path):
        if statement.mark == _OPEN:
            if depth == 0:
                block = facts.open(statement.words)
            elif block is not None:
                _set(block, statement.words)
            depth += 1
            continue
        if depth == 0 and statement.mark == _END:
            facts.top_level(statement.words)
        elif block is not None:
            _set(block, statement.words)
        files.check(statement, depth)
        if files.name_tunnels:
            facts.note_tunnels(statement.words)
        stray += statement.mark == _CLOSE and depth == 0
        if statement.mark == _CLOSE and depth > 0:
            depth -= 1
            if depth == 0:
                block = None
    unbalanced = "a } without its {" if stray else "a { that is never closed" if depth else ""
    return facts.config(files)._replace(unbalanced=unbalanced, unread=(files.unread, files.unread_in))


class _Files:
    """Cuts files into statements, an included file in its includer's place."""

    def __init__(self, read: Reader) -> None:
        self.read: list[str] = []
        self.missing: list[str] = []
        self.disabled = False
        self.own_address = ""
        self.name_tunnels = False
        self.unread: Unread = []
        self.unread_in = ""
        self._reader = read
        self._now = ("", "")  # path and text of the file that the last statement was in

    def statements(self, path: str, depth: int = 0) -> Iterator[_Statement]:
        text = self._reader(path) if len(self.read) < _MOST_INCLUDES else None
        if text is None:
            self.missing.append(path)
            return
        self.read.append(path)
        if " disabled on this node" in text and re.search(_DISABLED, text):
            self.disabled = True
        if not self.own_address and "Skipping ourselves" in text:
            found = _OURSELVES.search(text)
            self.own_address = _address(found.group(1)) if found else ""
        self.name_tunnels = self.name_tunnels or _TUNNEL in text
        for statement in _cut(text):
            if statement.words[:1] == ["include"] and len(statement.words) == 2 and depth < _DEEPEST_INCLUDE:
                included = os.path.join(os.path.dirname(path), statement.words[1])
                yield from self.statements(included, depth + 1)
            else:
                self._now = path, text
                yield statement

    def check(self, statement: _Statement, depth: int) -> None:
        """Note it if the statement just given is not understood; those of one file, the first that has such, do."""
        first = statement.words[0] if statement.words else ""
        if statement.at >= 0 and (first not in _CHECKED or _is_understood(statement.words, depth)):
            return
        path, text = self._now
        self.unread_in = self.unread_in or path
        if path == self.unread_in and len(self.unread) < MOST:
            end = statement.at if statement.at >= 0 else len(text.rstrip())
            note(self.unread, text.count("\n", 0, end) + 1, " ".join(statement.words))


def _cut(text: str) -> Iterator[_Statement]:
    """Cut one file into statements."""
    words: list[str] = []
    secret = False
    for piece in _PIECE.finditer(text):
        kind = piece.lastgroup
        if kind == "mark":
            yield _Statement(words, piece.group(), piece.start())
            words, secret = [], False
        elif secret or kind == "comment":
            continue
        elif kind == "words":
            words.extend(piece.group().split())
            # From here to the statement's end all may be part of the secret: a quote in it ends the string early.
            if "password" in words:
                del words[words.index("password") + 1 :]
                secret = True
        elif kind == "other":
            if piece.group() == "/" and words:
                # A prefix or a regular expression: no session's setting, and no comment either.
                words[-1] += "/"
        else:
            words.append(piece.group(kind or 0))
    if words:
        yield _Statement(words, _END, -1)


def _is_understood(words: list[str], depth: int) -> bool:
    """Say whether what a statement says of a session's peer, or of the router ID, could be read."""
    first, second = (*words[:2], "", "")[:2]
    if first == "neighbor" and depth:
        named = second in ("range", "as", "port", "internal", "external") or _ADDRESS.match(second) is not None
        return named and ("as" not in words[:-1] or is_whole(words[words.index("as") + 1]))
    if first == "router" and second == "id" and len(words) == 3:
        return _ADDRESS.match(words[2]) is not None
    return True


def _set(block: _Block, words: list[str]) -> None:
    """Note one statement inside a block, by its first word."""
    if not words:
        return
    name, value = words[0], words[1:]
    if name in _SETTINGS or (name in _TIMES and value[:1] == ["time"]):
        block.settings[name] = value
    elif name == "local":
        # `local as N`, `local ADDRESS as N` and BIRD 2's `local port N` may stand side by side.
        block.settings[name] = block.settings.get(name, []) + value
    elif name == "direct":
        block.settings["multihop"] = list(_OFF)


class _Facts:
    """Collects what the statements say."""

    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self._templates: dict[str, _Block] = {}
        self._router_id = ""
        self._listen: list[str] = []
        self._tunnels: list[str] = []

    def open(self, words: list[str]) -> _Block | None:
        """Begin a block on the top level; only BGP ones are of interest."""
        if words[:2] not in (["protocol", "bgp"], ["template", "bgp"]):
            return None
        rest = words[2:]
        template = rest[rest.index("from") + 1] if "from" in rest[:-1] else ""
        block = _Block(rest[0] if rest and rest[0] != "from" else "", template)
        if words[0] == "template":
            self._templates[block.name] = block
        else:
            self._blocks.append(block)
        return block

    def top_level(self, words: list[str]) -> None:
        if words[:2] == ["router", "id"] and len(words) == 3:
            self._router_id = words[2]
        elif words[:2] == ["listen", "bgp"]:
            self._listen = words[2:]

    def note_tunnels(self, words: list[str]) -> None:
        """Keep the device of `krt_tunnel = "tunl0"`, wherever in a filter it stands and however it is spaced."""
        if not any(_TUNNEL in word for word in words):
            return
        for before, word in zip(words, words[1:]):
            if before.endswith("=") and word not in self._tunnels and re.match(r"[\w.-]+$", word):
                self._tunnels.append(word)

    def config(self, files: _Files) -> Config:
        peerings = [self._peering(block) for block in self._blocks]
        names = sorted(peering.name for peering in peerings if peering.name)
        twice = {name for name, following in zip(names, names[1:]) if name == following}
        local_as = [peering.local_as for peering in peerings] or [
            _number_after(self._setting(block, "local"), "as") for block in self._templates.values()
        ]
        return Config(
            router_id=_address(self._router_id),
            local_as=local_as[0] if local_as else None,
            listen_address=_address(_after(self._listen, "address")),
            listen_port=_number_after(self._listen, "port"),
            disabled=files.disabled and not peerings,
            peerings=peerings,
            duplicate_names=sorted(twice),
            files=files.read,
            missing=files.missing,
            tunnels=self._tunnels,
            own_address=files.own_address,
        )

    def _peering(self, block: _Block) -> Peering:
        neighbor = self._setting(block, "neighbor") or []
        local = self._setting(block, "local") or []
        ttl = self._setting(block, "ttl") or []
        hops = self._setting(block, "multihop")
        peer_as, local_as = _number_after(neighbor, "as"), _number_after(local, "as")
        external = None not in (peer_as, local_as) and peer_as != local_as
        return Peering(
            name=block.name,
            peer=_address(neighbor[0] if neighbor else ""),
            peer_as=peer_as,
            port=_number_after(neighbor, "port"),
            local_as=local_as,
            source=_address(_after(self._setting(block, "source"), "address") or (local[0] if local else "")),
            passive=_switch(self._setting(block, "passive")),
            password=self._setting(block, "password") is not None or self._setting(block, "passwords") is not None,
            disabled=_switch(self._setting(block, "disabled")),
            multihop=_switch(hops),
            ttl_security=_switch(ttl[1:]) if ttl[:1] == ["security"] else False,
            direct=external if hops is None else not _switch(hops),
            hold_time=_number_after(self._setting(block, "hold"), "time"),
            keepalive_time=_number_after(self._setting(block, "keepalive"), "time"),
        )

    def _setting(self, block: _Block, name: str) -> list[str] | None:
        """Return a setting of a block, or else of its template, or of that one's … None if it is set nowhere."""
        for _step in range(_DEEPEST_INCLUDE):
            if name in block.settings:
                return block.settings[name]
            if block.template not in self._templates:
                return None
            block = self._templates[block.template]
        return None


def _switch(value: list[str] | None) -> bool:
    """Read BIRD's way to say yes: a bare word, or anything but no and off."""
    return value is not None and value[:1] not in ([word] for word in _OFF)


def _after(words: list[str] | None, word: str) -> str:
    """Return what follows `word`; '' if nothing does."""
    words = words or []
    return words[words.index(word) + 1] if word in words[:-1] else ""


def _number_after(words: list[str] | None, word: str) -> int | None:
    text = _after(words, word)
    return int(text) if is_whole(text) else None


def _address(text: str) -> str:
    """Return `text` if it has the form of an address, else ''."""
    return text if _ADDRESS.match(text) else ""
