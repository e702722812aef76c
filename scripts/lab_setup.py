# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the embedded lab needs from this machine, and its image."""

from __future__ import annotations

import os
import queue
import signal
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from lab import errors, image, lifecycle, requirements
from lab.state import State
from scripts.console import UserError, alone_with, headline, say
from scripts.machine import Tool, has_namespaces
from scripts.paths import BUILD, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Lot = TypeVar("Lot")

FOR = "the embedded lab"
TOOLS = (
    Tool("ip", "iproute2", FOR),
    Tool("mmdebstrap", "mmdebstrap", "making the lab's image"),
    Tool("nsenter", "util-linux", FOR),
    Tool("ssh", "openssh-client", "reaching nodes"),
    Tool("ssh-keygen", "openssh-client", FOR),
    Tool("unshare", "util-linux", FOR),
)


def why_not() -> str:
    """Why the lab cannot run on this machine, as a sentence without its full stop, or ''."""
    try:
        requirements.check(image.directory().is_dir())
    except errors.LabError as problem:
        return str(problem)
    problem_with_namespaces = has_namespaces()
    return f"the lab cannot run here: {problem_with_namespaces}" if problem_with_namespaces else ""


def prepare_image() -> None:
    """Make the lab's image if it is not there and can be made here. Whoever needs it asks why_not first."""
    if why_not() or image.directory().is_dir():
        return
    headline("Making the lab's image, a small Debian with BIRD, firewalls, chrony and sshd (about half a minute, once)")
    try:
        image.ensure(_line)
    except errors.LabError as problem:
        raise UserError(f"The lab's image could not be made: {problem}") from None


@contextmanager
def place_for(purpose: str) -> Iterator[str]:
    """The state directory of a lab of our own, beside one that the user may have up; no lab is left in it afterwards.

    Also after Ctrl-C; a second Ctrl-C does not disturb that. Each checkout has its own, for one user at a time.
    """
    directory = f"/run/netmedic-lab-{purpose}-{zlib.crc32(str(ROOT).encode()):08x}"
    # ssh has the user's shell run the lab's `connect`. On a socket and outside of a session bash takes itself for one
    # begun over the network and reads ~/.bashrc first; one that waits for a lock made every connection last a minute.
    os.environ["SHELL"] = "/bin/sh"
    with alone_with(BUILD / f"lab-{purpose}.lock", f"using the lab in {directory}"):
        try:
            yield directory
        finally:
            with _not_interrupted():
                _take_down(directory)


@contextmanager
def _not_interrupted() -> Iterator[None]:
    """Ctrl-C is of no effect meanwhile. It only ever reaches the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _take_down(directory: str) -> None:
    try:
        lifecycle.down(State(directory), lambda _line: None)
    except errors.LabError as problem:
        say(f"    The lab in {directory} could not be taken down: {problem}")


def spread(lots: Iterable[Lot], jobs: int, purpose: str, work: Callable[[Lot, str], None]) -> None:
    """Do `work(lot, place)` for each lot, so many at a time, each in the place of a lab of its own. What one of them
    raises is raised here, when the others have ended. To be called in the main thread."""
    waiting: queue.SimpleQueue[Lot] = queue.SimpleQueue()
    for lot in lots:
        waiting.put(lot)

    def one_after_the_other(place: str) -> None:
        with suppress(queue.Empty):
            while True:
                work(waiting.get_nowait(), place)

    with ExitStack() as stack:
        places = [stack.enter_context(place_for(f"{purpose}-{number}")) for number in range(jobs)]
        pool = stack.enter_context(ThreadPoolExecutor(jobs))
        for done in [pool.submit(one_after_the_other, place) for place in places]:
            done.result()


def _line(text: str) -> None:
    """Progress of the image's making, under our headline."""
    if not text.strip().startswith("running --"):
        say(f"    {text}")
