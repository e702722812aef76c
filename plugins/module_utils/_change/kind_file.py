# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file's content, mode and owner; or that there is none."""

from __future__ import annotations

import os
import re

from . import files
from .model import ABSENT, PRESENT, Kind, RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .files import Found
    from .model import State

_MOST = 256 * 1024
_MODE = re.compile(r"0?[0-7]{3,4}\Z")
# What the record and the diff may not hold. Chrony's and BIRD's keys are the ones nearest at hand.
_SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|(?im:^\s*\"?[\w.-]*(password|passphrase|secret|token)[\w-]*\"?\s*[:=\s]\s*\S)"
)
_SECRET_NAMES = re.compile(r"(\.keys?|\.pem|shadow-?|_key|id_(rsa|ed25519|ecdsa))\Z")


_NO_FOLDER = {"folder": False}


def _is_there(state: State) -> bool:
    return state is not None and state != _NO_FOLDER


class File(Kind):
    """The state: None for no file, {"folder": False} where its directory is absent, too, else content (text), mode
    (octal text), uid and gid. With `folder` the directory is made, and removed with the file if nothing else is there.
    """

    name = "file"
    required = ("path",)
    optional = {"content": None, "mode": "", "owner": "", "group": "", "folder": False, "state": PRESENT}  # noqa: RUF012
    cuts_off = False

    @property
    def subject(self) -> str:
        return str(self.options["path"])

    def preflight(self) -> None:
        path, content, mode = self.options["path"], self.options["content"], self.options["mode"]
        if not os.path.isabs(path) or path.endswith("/") or "\0" in path:
            raise RefusedError(f"{path!r} is no absolute path of a file")
        if self.options["state"] == ABSENT and content is not None:
            raise RefusedError(f"{path}: a file that is to be absent has no content")
        if mode and not _MODE.match(mode):
            raise RefusedError(f"{path}: the mode {mode!r} is no octal number")
        for name, texts in (("wanted", content or ""), ("now", (self.read() or {}).get("content", ""))):
            if _SECRET_NAMES.search(path) or _SECRET.search(texts):
                raise RefusedError(f"{path} seems to hold a secret ({name}), which the record may not keep")
        if content is None and self.options["state"] == PRESENT and not _is_there(self.read()):
            raise RefusedError(f"there is no {path} on this host, and no content for one is given")
        self._ids(files.read(path))
        if self.options["state"] == PRESENT or self.read() != _NO_FOLDER:
            self.writable()

    def writable(self) -> None:
        path = self.options["path"]
        if self.read() == _NO_FOLDER:
            path = os.path.dirname(path)
        files.check_writable(path, len((self.options["content"] or "").encode()))

    def read(self) -> State:
        found = files.read(self.options["path"])
        if found is None:
            absent = self.options["folder"] and not os.path.isdir(os.path.dirname(self.options["path"]))
            return dict(_NO_FOLDER) if absent else None
        if len(found.content) > _MOST:
            raise RefusedError(f"{self.options['path']} is larger than {_MOST >> 10} KiB")
        try:
            text = found.content.decode("utf-8")
        except ValueError:
            raise RefusedError(f"{self.options['path']} is no text") from None
        return {"content": text, "mode": f"{found.mode:04o}", "uid": found.uid, "gid": found.gid}

    def plan(self, before: State) -> State:
        if self.options["state"] == ABSENT:
            return None if _is_there(before) else before
        uid, gid = self._ids(files.read(self.options["path"]))
        mode = self.options["mode"] or (before["mode"] if _is_there(before) else "0644")
        content = self.options["content"]
        if content is None:
            content = before["content"]
        wanted = {"content": content, "mode": f"{int(mode, 8):04o}", "uid": uid, "gid": gid}
        return before if wanted == before else wanted

    def write(self, now: State, wanted: State) -> None:
        path = self.options["path"]
        if not _is_there(wanted):
            if _is_there(now):
                files.remove(path)
            if wanted == _NO_FOLDER:
                files.remove_folder(os.path.dirname(path))
            return
        if now == _NO_FOLDER:
            files.make_folder(os.path.dirname(path))
        content = wanted["content"].encode("utf-8")
        files.replace(path, content, int(wanted["mode"], 8), wanted["uid"], wanted["gid"])

    def same(self, one: State, other: State) -> bool:
        return bool(one == other) or not (_is_there(one) or _is_there(other))

    def shown(self, state: State) -> str:
        return str(state["content"]) if _is_there(state) else ""

    def _ids(self, found: Found | None) -> tuple[int, int]:
        import grp
        import pwd

        owner, group = self.options["owner"], self.options["group"]
        uid, gid = (found.uid, found.gid) if found is not None else (os.geteuid(), os.getegid())
        try:
            uid = (int(owner) if owner.isdigit() else pwd.getpwnam(owner).pw_uid) if owner else uid
            gid = (int(group) if group.isdigit() else grp.getgrnam(group).gr_gid) if group else gid
        except KeyError:
            raise RefusedError(f"{self.options['path']}: there is no {owner or '-'}:{group or '-'} here") from None
        return uid, gid
