"""Which signals ask a training to stop. Imports no torch, since the launcher needs it, too."""

from __future__ import annotations

import signal

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


def stop_signals() -> list[signal.Signals]:
    """The stop signals of this system; a SIGHUP that is ignored (`nohup`) stays ignored."""
    found = [signal.Signals[name] for name in NAMES if hasattr(signal, name)]
    return [s for s in found if s.name != "SIGHUP" or signal.getsignal(s) is not signal.SIG_IGN]
