# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for what a node has: BIRD's control socket, which plays back what a real one said, and a /proc."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import socket
import tempfile
import threading
import time

import pytest

RECORDED = pathlib.Path(__file__).parent / "_bird" / "recorded"
_FILES = {"restrict": "restrict.raw", "show status": "status.raw", "show protocols all": "protocols.raw"}


class BirdServer:
    """Serves one control socket. How it behaves is set by its attributes, from any test, before it is asked."""

    def __init__(self, path):
        self.path = path
        self.greeting = b"0001 BIRD 1.6.8 ready.\n"
        self.replies = {}
        self.piece = 0  # bytes sent at a time; 0 for all at once
        self.pause = 0.0  # seconds between pieces
        self.commands = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(8)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def play(self, case):
        """Answer as the recorded BIRD of that name did."""
        folder = RECORDED / case
        self.greeting = (folder / "greeting.raw").read_bytes()
        self.replies = {command: (folder / name).read_bytes() for command, name in _FILES.items()}
        return self

    def close(self):
        self._ended.set()
        # Wakes the thread out of accept().
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as knock:
            knock.settimeout(0.2)
            knock.connect(self.path)
        self._listener.close()
        self._thread.join(2.0)

    def _serve(self):
        while not self._ended.is_set():
            try:
                connection, _peer = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5.0)
                self._converse(connection)

    def _converse(self, connection):
        self._send(connection, self.greeting)
        pending = b""
        while not self._ended.is_set():
            data = connection.recv(4096)
            if not data:
                return
            pending += data
            while b"\n" in pending:
                command, _newline, pending = pending.partition(b"\n")
                self.commands.append(command.decode())
                reply = self.replies.get(command.decode(), b"9001 syntax error\n")
                if reply is None:
                    return  # hangs up
                self._send(connection, reply)

    def _send(self, connection, data):
        if not self.piece:
            connection.sendall(data)
            return
        for start in range(0, len(data), self.piece):
            if self._ended.is_set():
                return
            connection.sendall(data[start : start + self.piece])
            time.sleep(self.pause)


@pytest.fixture
def short_folder():
    """A folder with a path short enough for a socket in it."""
    folder = tempfile.mkdtemp(prefix="nm")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def bird_server(short_folder):
    server = BirdServer(os.path.join(short_folder, "bird.ctl"))
    yield server
    server.close()


@pytest.fixture
def bird_recorded():
    """The folder of recorded replies, configurations and logs."""
    return RECORDED


@pytest.fixture
def bird_text():
    """Return a recorded file's text by case and name."""

    def text(case, name):
        return (RECORDED / case / name).read_bytes().decode()

    return text


class FakeProc:
    """A folder laid out as /proc, and beside it the file systems of its processes."""

    def __init__(self, folder):
        self.path = str(folder / "proc")
        self.host = str(folder / "host")
        self._folder = folder
        os.makedirs(self.host)
        os.makedirs(os.path.join(self.path, "self", "ns"))
        os.symlink("net:[1]", os.path.join(self.path, "self", "ns", "net"))
        self.write(os.path.join(self.path, "uptime"), "1000.00 1900.00\n")

    def add(self, pid, comm, argv=(), environ=None, root=None, namespace="net:[1]", container="", age=100, state="S"):
        """Add a process; `root` is the name of its file system (None: the host's), whose path is returned."""
        folder = os.path.join(self.path, str(pid))
        os.makedirs(os.path.join(folder, "ns"))
        os.makedirs(os.path.join(folder, "fd"))
        root_folder = self.host if root is None else str(self._folder / root)
        os.makedirs(root_folder, exist_ok=True)
        os.symlink(root_folder, os.path.join(folder, "root"))
        os.symlink(namespace, os.path.join(folder, "ns", "net"))
        self.write(os.path.join(folder, "comm"), comm[:15] + "\n")
        self.write(os.path.join(folder, "cmdline"), "".join(word + "\0" for word in argv))
        variables = {"PATH": "/bin", **(environ or {})}
        self.write(os.path.join(folder, "environ"), "".join(f"{key}={value}\0" for key, value in variables.items()))
        start = int((1000 - age) * os.sysconf("SC_CLK_TCK"))
        fields = [state, "1"] + ["0"] * 17 + [str(start)] + ["0"] * 30
        self.write(os.path.join(folder, "stat"), f"{pid} ({comm[:15]}) " + " ".join(fields) + "\n")
        self.write(
            os.path.join(folder, "cgroup"),
            "0::/" + (f"kubepods/cri-containerd-{container}.scope" if container else "") + "\n",
        )
        return root_folder

    @staticmethod
    def write(path, text):
        """Write a file, making the folders above it."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(text.encode() if isinstance(text, str) else text)
        return path


@pytest.fixture
def fake_proc(tmp_path):
    return FakeProc(tmp_path)
