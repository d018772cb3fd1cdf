"""The command `requant`: the same program as the binary."""

import signal
import sys

from . import _native


def main() -> int:
    # The program has handlers of its own; Python's would wait for it to come back.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _native.command(["requant", *sys.argv[1:]])
