# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files read and replaced: as a whole or not at all, with owner, mode and extended attributes as they were."""

from __future__ import annotations

import contextlib
import os
import stat

from .._record import NamedTuple
from .model import RefusedError

_MOST = 1 << 20
_SPARE = 8192  # beside the content, for the directory and the record
_PREFIX = ".netmedic-"


class Found(NamedTuple):
    """A regular file as it is."""

    content: bytes
    mode: int
    uid: int
    gid: int


def read(path: str) -> Found | None:
    """Return the file, None if there is none. Raises RefusedError for what is no regular file or cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise RefusedError(f"{path} cannot be read: {error.strerror}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise RefusedError(f"{path} is not a regular file")
        if status.st_size > _MOST:
            raise RefusedError(f"{path} is larger than {_MOST >> 20} MiB")
        with os.fdopen(os.dup(descriptor), "rb") as stream:
            content = stream.read(_MOST + 1)
    finally:
        os.close(descriptor)
    return Found(content, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)


def check_writable(path: str, size: int) -> None:
    """Refuse if a file of `size` bytes could not be put at `path`; nothing is written."""
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        raise RefusedError(f"there is no directory {folder}")
    try:
        room = os.statvfs(folder)
    except OSError as error:
        raise RefusedError(f"{folder} cannot be looked at: {error.strerror}") from None
    if room.f_flag & os.ST_RDONLY or not os.access(folder, os.W_OK | os.X_OK):
        raise RefusedError(f"{path} cannot be written: {folder} is {_why_not(room.f_flag)}")
    if os.path.exists(path) and not os.access(path, os.W_OK):
        raise RefusedError(f"{path} cannot be written: it is immutable, or not for this user")
    if room.f_blocks and room.f_bavail * room.f_frsize < size + _SPARE:
        raise RefusedError(f"{path} cannot be written: there is no room left on its file system")
    if room.f_files and not room.f_favail:
        raise RefusedError(f"{path} cannot be written: its file system has no inode left")


def _why_not(flags: int) -> str:
    return "on a read-only file system" if flags & os.ST_RDONLY else "not writable for this user"


def replace(path: str, content: bytes, mode: int, uid: int, gid: int) -> None:
    """Put a file at `path` in one step. Through a link what it leads to is replaced. Raises RefusedError."""
    path = os.path.realpath(path)
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f"{_PREFIX}{name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fchown(stream.fileno(), uid, gid)
                os.fchmod(stream.fileno(), mode)
                _copy_attributes(path, temporary)
                os.fsync(stream.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        sync_folder(folder)
    except OSError as error:
        raise RefusedError(f"{path} cannot be written: {error.strerror or error}") from None


def remove(path: str) -> None:
    """Remove a file. Raises RefusedError."""
    path = os.path.realpath(path)
    try:
        os.unlink(path)
        sync_folder(os.path.dirname(path))
    except OSError as error:
        raise RefusedError(f"{path} cannot be removed: {error.strerror}") from None


def make_folder(path: str) -> None:
    """Make a directory for configuration files, where it is not there. Raises RefusedError."""
    try:
        os.mkdir(path, 0o755)
        os.chmod(path, 0o755)  # noqa: S103 - as those beside it, whatever the umask
        sync_folder(os.path.dirname(path))
    except FileExistsError:
        return
    except OSError as error:
        raise RefusedError(f"{path} cannot be made: {error.strerror}") from None


def remove_folder(path: str) -> None:
    """Remove a directory if nothing is in it."""
    with contextlib.suppress(OSError):
        os.rmdir(path)


def sync_folder(folder: str) -> None:
    """Have the names in a folder on the disk, too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy_attributes(path: str, temporary: str) -> None:
    """Take over what SELinux and others keep with a file; where that is not to be had the file is as a new one."""
    with contextlib.suppress(OSError, AttributeError):
        for name in os.listxattr(path):
            with contextlib.suppress(OSError):
                os.setxattr(temporary, name, os.getxattr(path, name))
