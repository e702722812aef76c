# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts one machine of the lab: run as a program of its own, standard library only, never imported by the package.

    python -ISE boot.py <pid file>      environment: NETMEDIC_LAB_MEMBER=<state directory>

Standard input: one line of JSON, the machine's specification (`machine.Specification`), later one line "go".
Standard output: "ready" once the machine exists and waits for its cables, or "error: …"; it is closed without another
word when the machine's init runs. If the caller dies before "go", the machine ends by itself.

The machine is a process in its own pid, network, mount, UTS and IPC namespaces. Its root is an overlay over the image
with the writable part on a tmpfs that exists only in its mount namespace, so nothing is left anywhere when its first
process ends.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import socket
import stat
import struct
import subprocess
import sys
from typing import Any

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = (
    0x20000,
    0x4000000,
    0x8000000,
    0x20000000,
    0x40000000,
)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = (
    1,
    2,
    4,
    8,
    32,
    4096,
    16384,
    1 << 18,
)
MNT_DETACH = 2
PR_CAPBSET_DROP = 24
CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_TIME = 16, 17, 25
SIOCETHTOOL, ETHTOOL_STSO, ETHTOOL_SGSO = 0x8946, 0x1F, 0x24
# What belongs to the whole host and is not per namespace: a machine may read it, not write it.
READ_ONLY = ("/proc/sys/kernel", "/proc/sys/vm", "/proc/sys/fs", "/proc/sysrq-trigger")
DEVICES = (("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0))
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Make the namespaces and fork the machine's first process; this one only puts it on record."""
    pid_file = sys.argv[1]
    specification = json.loads(sys.stdin.buffer.readline())
    check("unshare", libc.unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC))
    # The child must not take a step before it is on record: whatever happens then, `down` finds it.
    release_read, release_write = os.pipe()
    pid = os.fork()
    if pid:
        record(pid_file, pid)
        os.write(release_write, b"x")
        os._exit(0)
    os.close(release_write)
    if not os.read(release_read, 1):
        os._exit(1)
    os.close(release_read)
    machine(specification)


def machine(specification: dict[str, Any]) -> None:
    """The life of the machine's first process up to its init."""
    os.setsid()
    os.umask(0o022)
    make_root(specification["image"], specification["mount_point"])
    check("sethostname", libc.sethostname(specification["hostname"].encode(), len(specification["hostname"])))
    for path, mode, text in specification["files"]:
        write(path, mode, text)
    for path, target in specification["links"]:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)
    print("ready", flush=True)
    if sys.stdin.buffer.readline() != b"go\n":
        os._exit(1)
    for arguments, batch in specification["network"]:
        run(["ip", *arguments, "-batch", "-"], batch)
    for path, value in specification["sysctls"]:
        setting = os.path.join("/proc/sys", path.lstrip("-"))
        if os.path.exists(setting) or not path.startswith("-"):
            with open(setting, "w", encoding="utf-8") as file:
                file.write(value)
    for interface in specification["wires"]:
        send_whole_packets(interface)
    become_init(specification["init"])


def make_root(image: str, mount_point: str) -> None:
    """Give this mount namespace its own root: the overlay, and what a machine has at /proc, /sys, /dev and /run."""
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("tmpfs", mount_point, "tmpfs", MS_NOSUID, "mode=755")
    upper, work, root = (os.path.join(mount_point, name) for name in ("upper", "work", "root"))
    for directory in (upper, work, root):
        os.mkdir(directory, 0o755)
    lower, upper, work = (escape(path) for path in (image, upper, work))
    mount("overlay", root, "overlay", 0, f"lowerdir={lower},upperdir={upper},workdir={work}")
    mount("proc", root + "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("sysfs", root + "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY)
    mount("tmpfs", root + "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    make_devices(root + "/dev")
    for path in filter(lambda each: os.path.exists(root + each), READ_ONLY):
        mount(root + path, root + path, None, MS_BIND)
        mount("none", root + path, None, MS_REMOUNT | MS_BIND | MS_RDONLY)
    os.chdir(root)
    check("pivot_root", libc.pivot_root(b".", b"."))
    check("umount of the old root", libc.umount2(b".", MNT_DETACH))
    os.chdir("/")


def make_devices(directory: str) -> None:
    """Fill /dev."""
    mount("tmpfs", directory, "tmpfs", MS_NOSUID, "mode=755")
    os.umask(0)
    for name, major, minor in DEVICES:
        os.mknod(os.path.join(directory, name), stat.S_IFCHR | 0o666, os.makedev(major, minor))
    for name in ("pts", "shm", "net"):
        os.mkdir(os.path.join(directory, name), 0o755)
    os.mknod(os.path.join(directory, "net/tun"), stat.S_IFCHR | 0o666, os.makedev(10, 200))
    os.umask(0o022)
    mount("devpts", directory + "/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620")
    mount("tmpfs", directory + "/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
    links = (("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2"))
    for name, target in links:
        os.symlink(target, os.path.join(directory, name))


def send_whole_packets(interface: str) -> None:
    """Turn off segmentation offload: a virtual cable else carries packets greater than any wire's MTU."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        for command in (ETHTOOL_STSO, ETHTOOL_SGSO):
            value = ctypes.create_string_buffer(struct.pack("=II", command, 0))
            request = struct.pack("16sP", interface.encode(), ctypes.addressof(value))
            fcntl.ioctl(channel, SIOCETHTOOL, request.ljust(40, b"\0"))


def become_init(argv: list[str]) -> None:
    """Give up what belongs to the host, and go on as the machine's init."""
    # A machine has no clock, modules or hardware of its own: keep it off the host's.
    for capability in (CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_TIME):
        check("prctl", libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0))
    null = os.open("/dev/null", os.O_RDONLY)
    log = os.open("/var/log/init.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    environment = {
        "PATH": PATH,
        "LANG": "C.UTF-8",
        "SVDIR": "/etc/service/enabled",
        "NETMEDIC_LAB_MEMBER": os.environ["NETMEDIC_LAB_MEMBER"],
    }
    os.dup2(null, 0)
    os.dup2(log, 2)
    os.dup2(log, 1)
    os.execve(argv[0], argv, environment)  # noqa: S606 - the init takes this process' place


def record(path: str, pid: int) -> None:
    """Write "<pid> <start time>", the form that `processes.Process` reads."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        started = file.read().rpartition(")")[2].split()[19]
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(f"{pid} {started}\n")
    os.replace(path + ".new", path)


def write(path: str, mode: int, text: str) -> None:
    """Write a file of the machine."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def run(argv: list[str], text: str) -> None:
    """Run a program of the machine; OSError with its words if it fails."""
    done = subprocess.run(
        argv, input=text, capture_output=True, text=True, timeout=30, check=False, env={"PATH": PATH, "LC_ALL": "C"}
    )
    if done.returncode:
        raise OSError(f"{' '.join(argv)} failed: {done.stderr.strip()}".replace("\n", "; "))


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """mount(2)"""
    result = libc.mount(
        source.encode(), target.encode(), kind.encode() if kind else None, ctypes.c_ulong(flags), options.encode()
    )
    check(f"mount of {kind or source} on {target}", result)


def escape(path: str) -> str:
    """A path within overlay's options, where backslash, comma and colon have a meaning."""
    return path.replace("\\", "\\\\").replace(",", "\\,").replace(":", "\\:")


def check(what: str, result: int) -> None:
    """OSError in words if a call of the C library did not return 0."""
    if result != 0:
        raise OSError(f"{what}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    try:
        main()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the caller must hear of it
        print(f"error: {error}", flush=True)
        os._exit(1)
