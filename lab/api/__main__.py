# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m lab.api --state DIR`: the daemon that is the emulated API of one lab, until it gets SIGTERM."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from typing import TYPE_CHECKING

from ..api_process import SCHEMAS
from ..errors import LabError
from . import daemon

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    options = _parser().parse_args(arguments)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ended.set())
    try:
        running = daemon.start(
            options.state, calico=options.calico, schemas=options.schemas, controlled=not options.bare
        )
    except (LabError, OSError) as error:
        print(f"lab.api: {error}", file=sys.stderr)
        return 1
    ended.wait()
    running.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.api", description=__doc__)
    parser.add_argument("--state", metavar="DIR", help="the lab's state directory")
    parser.add_argument(
        "--calico",
        choices=("crd", "aggregated", "native"),
        default="crd",
        help="Calico's groups: crd.projectcalico.org/v1 alone, also projectcalico.org/v3 as Calico's API server shows "
        "it, or projectcalico.org/v3 as CustomResourceDefinitions (default: crd)",
    )
    parser.add_argument(
        "--schemas",
        metavar="DIR",
        help=f"folder with Calico's CustomResourceDefinitions (default: ${SCHEMAS}; without, custom resources "
        "are stored unjudged)",
    )
    parser.add_argument("--bare", action="store_true", help="without the lab's controller and its objects")
    return parser


if __name__ == "__main__":
    sys.exit(main())
