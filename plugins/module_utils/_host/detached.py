# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process that outlives the module that starts it, the connection, sshd and the controller.

It has no terminal, no open file of its parent's and a session of its own. All its code must be in memory before it is
started, because Ansible removes the files when the module ends.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal

from .processes import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_READY_PATIENCE = 10.0


def start(work: Callable[[], None], keep: Collection[int] = ()) -> int:
    """Run work() in a process of its own and return its id once it can no longer be stopped by what happens to us.

    Of our open files it keeps those in `keep`. Raises OSError if there can be no such process.
    """
    reader, writer = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(reader)
        os.close(writer)
        raise
    if child == 0:
        _become(work, writer, keep)
    os.close(writer)
    os.waitpid(child, 0)
    ready = select.select([reader], [], [], _READY_PATIENCE)[0]
    told = os.read(reader, 32) if ready else b""
    os.close(reader)
    if not told.isdigit():
        raise OSError("its process ended at once")
    return int(told)


def _become(work: Callable[[], None], writer: int, keep: Collection[int]) -> None:
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        os.chdir("/")
        _close_all_but({writer, *keep})
        _leave_session()
        os.write(writer, str(os.getpid()).encode())
        os.close(writer)
        work()
    except BaseException:  # noqa: BLE001 - whatever it is, our parent's code after this one must not run
        os._exit(1)
    finally:
        os._exit(0)


def _close_all_but(keep: Collection[int]) -> None:
    null = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    for name in os.listdir("/proc/self/fd"):
        number = int(name)
        if number > 2 and number not in keep:
            with contextlib.suppress(OSError):
                os.close(number)


def _leave_session() -> None:
    """Leave the login's control group: where systemd-logind is told to, it kills all that is in it with the login."""
    for hierarchy, name, path in (line.split(":", 2) for line in read_text("/proc/self/cgroup").split()):
        folder = {"": "/sys/fs/cgroup", "name=systemd": "/sys/fs/cgroup/systemd"}.get(name)
        if folder and hierarchy and (".scope" in path or "ssh" in path):
            with contextlib.suppress(OSError), open(f"{folder}/cgroup.procs", "w", encoding="ascii") as stream:
                stream.write(str(os.getpid()))
