# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in BIRD's place on a lab node: answers on the control socket like BIRD 1.6.8 with all sessions established.

    emulated_bird.py -R -s SOCKET -d -c CONFIGURATION    the words of BIRD's own command line
    emulated_bird.py --accept                            accept BGP connections and keep them

With a file "alone" beside it, it has no connection and tells so of every session. Runs on the node's Python, by itself.
The text of its answers is that of BIRD 1.6.8, with other addresses.
"""

from __future__ import annotations

import re
import resource
import signal
import socket
import struct
import sys
import threading
import time
from pathlib import Path

PORT = 179
HEAD = "2002-name     proto    table    state  since       info\n"
PEER = """\
1002-{name} BGP      master   up     {since}    Established   
1006-  Description:    Connection to BGP peer
   Preference:     100
   Input filter:   ACCEPT
   Output filter:  (unnamed)
   Routes:         1 imported, 1 exported, 1 preferred
   Route change stats:     received   rejected   filtered    ignored   accepted
     Import updates:              1          0          0          0          1
     Import withdraws:            0          0        ---          0          0
     Export updates:              6          2          3        ---          1
     Export withdraws:            0        ---        ---        ---          0
   BGP state:          Established
     Neighbor address: {peer}
     Neighbor AS:      64512
     Neighbor ID:      {peer}
     Neighbor caps:    refresh enhanced-refresh restart-able llgr-aware AS4 add-path-rx add-path-tx
     Session:          internal multihop AS4 add-path-rx add-path-tx
     Source address:   {source}
     Hold timer:       183/240
     Keepalive timer:  67/80
 
"""  # noqa: W291, W293  # BIRD's own blanks
LOST = """\
1002-{name} BGP      master   start  {since}    Connect       
1006-  Description:    Connection to BGP peer
   Preference:     100
   Input filter:   ACCEPT
   Output filter:  (unnamed)
   Routes:         0 imported, 0 exported, 0 preferred
   Route change stats:     received   rejected   filtered    ignored   accepted
     Import updates:              0          0          0          0          0
     Import withdraws:            0          0        ---          0          0
     Export updates:              0          0          0        ---          0
     Export withdraws:            0        ---        ---        ---          0
   BGP state:          Connect
     Neighbor address: {peer}
     Neighbor AS:      64512
 
"""  # noqa: W291, W293  # BIRD's own blanks
ALONE = Path(__file__).with_name("alone")
# Closed at once, so that the next start does not meet the last one's connections.
NO_LINGER = struct.pack("ii", 1, 0)


def main(arguments: list[str]) -> None:
    """Be BIRD until told to end."""
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(0))
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if "--accept" in arguments:
        _accept_and_keep()
        return
    control, configuration = arguments[arguments.index("-s") + 1], arguments[arguments.index("-c") + 1]
    text = Path(configuration).read_text(encoding="utf-8")
    peers = re.findall(r"protocol bgp (\S+) from.*?neighbor (\S+) as.*?source address ([0-9.]+)", text, re.DOTALL)
    threading.Thread(target=_accept_and_keep, daemon=True).start()
    alone = ALONE.exists()
    sessions = [] if alone else [_connect(source, peer) for _name, peer, source in peers]
    router_id = re.search(r"^router id (\S+);", text, re.MULTILINE)
    answers = _answers(peers, router_id.group(1) if router_id else "0.0.0.0", LOST if alone else PEER)
    _serve(control, answers)
    del sessions


def _answers(peers: list[tuple[str, str, str]], router_id: str, of_peer: str) -> dict[str, str]:
    """What BIRD says to each command; `of_peer` is its form for one session."""
    now = time.gmtime()
    stamp, since = time.strftime("%Y-%m-%d %H:%M:%S", now), time.strftime("%H:%M:%S", now)
    status = (
        f"1000-BIRD 1.6.8\n1011-Router ID is {router_id}\n Current server time is {stamp}\n Last reboot on {stamp}\n"
        f" Last reconfiguration on {stamp}\n0013 Daemon is up and running\n"
    )
    blocks = [of_peer.format(name=name.ljust(8), peer=peer, source=source, since=since) for name, peer, source in peers]
    return {
        "restrict": "0016 Access restricted\n",
        "show status": status,
        "show protocols all": HEAD + "".join(blocks) + "0000 \n",
    }


def _serve(control: str, answers: dict[str, str]) -> None:
    """Answer on the control socket, one client at a time."""
    Path(control).unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX)
    server.bind(control)
    server.listen()
    Path(control).with_suffix(".ready").touch()
    while True:
        client, _address = server.accept()
        with client:
            client.sendall(b"0001 BIRD 1.6.8 ready.\n")
            for line in client.makefile(encoding="utf-8"):
                client.sendall(answers.get(line.strip(), "9001 syntax error\n").encode())


def _connect(source: str, peer: str) -> socket.socket:
    """A TCP session as BIRD has it."""
    for _attempt in range(100):
        session = socket.socket()
        session.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        session.bind((source, 0))
        session.settimeout(2)
        try:
            session.connect((peer, PORT))
        except OSError:
            session.close()
            time.sleep(0.1)
        else:
            return session
    raise SystemExit(f"no connection to {peer}")


def _accept_and_keep() -> None:
    """Listen on the BGP port and keep what connects."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("0.0.0.0", PORT))
    server.listen(1024)
    kept = []
    while True:
        kept.append(server.accept())


if __name__ == "__main__":
    main(sys.argv[1:])
