"""Owns a Redis server on behalf of the studio: restarts it when it dies, ends it when the studio is gone.

Run as a script with the command of the server as arguments; stdin is a pipe that the studio holds open. Its
end means that the studio is gone, however it went. Only the standard library, for it runs as long as the
studio and should weigh little.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

SOON_S = 5.0  # a server that died within so long did not really start
ATTEMPTS = 5


class Guard:
    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._stopping = threading.Event()
        self._server: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Exit code of the last server."""
        failures = 0
        while True:
            started = time.monotonic()
            self._server = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, start_new_session=True)
            if self._stopping.is_set():
                self._server.terminate()
            code = self._server.wait()
            failures = failures + 1 if time.monotonic() - started < SOON_S else 0
            if self._stopping.is_set() or failures >= ATTEMPTS:
                return code
            time.sleep(0.2 * failures)

    def stop(self, *_: object) -> None:
        self._stopping.set()
        if self._server is not None:
            self._server.terminate()

    def watch(self) -> None:
        while os.read(0, 1):
            pass
        self.stop()


def main(command: list[str]) -> int:
    guard = Guard(command)
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, guard.stop)
    threading.Thread(target=guard.watch, daemon=True).start()
    return guard.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
