"""A studio without its pages, run as a program for tests: prints a line when it runs, ends with SIGTERM."""

from __future__ import annotations

import signal
import sys
import threading

from flowml.runner.settings import read_settings
from flowml.runner.studio import Studio

if __name__ == "__main__":
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    studio = Studio(read_settings())
    studio.start()
    sys.stdout.write("running\n")
    sys.stdout.flush()
    stopped.wait()
    studio.stop()
