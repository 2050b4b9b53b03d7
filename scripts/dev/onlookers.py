"""Browsers without a screen: they speak Streamlit's protocol as a browser does, and draw nothing.

Twenty Chromiums on a machine of two cores measure the Chromiums. Of these, twenty cost little.
"""

from __future__ import annotations

import heapq
import threading
import time
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

LONGEST_WAIT_S = 1.0


class Onlooker(threading.Thread):
    """Opens a page of the studio, and asks for its fragments again as often as they say."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self._address = urlsplit(address)
        self._over = threading.Event()
        self._script = ""
        self._due: list[tuple[float, float, str]] = []  # when, how often, which fragment
        self._asked: dict[str, float] = {}
        self.first_s = 0.0  # until the page stood
        self.waits_s: list[float] = []  # from each later asking to the end of its answer
        self.received = 0  # bytes

    def run(self) -> None:
        url = f"ws://{self._address.netloc}/_stcore/stream"
        with connect(url, subprotocols=["streamlit"], max_size=None) as socket:  # type: ignore[list-item]
            began = time.monotonic()
            self._ask(socket, "")
            while not self._over.is_set():
                self._hear(socket)
                self._ask_again(socket)
                if self.waits_s and not self.first_s:
                    self.first_s = time.monotonic() - began

    def stop(self) -> None:
        self._over.set()

    def _ask(self, socket: ClientConnection, fragment: str) -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self._address.query
        state.page_name = self._address.path.strip("/")
        state.page_script_hash = self._script
        state.fragment_id, state.is_auto_rerun = fragment, bool(fragment)
        self._asked[fragment] = time.monotonic()
        socket.send(message.SerializeToString())

    def _hear(self, socket: ClientConnection) -> None:
        until = self._due[0][0] if self._due else time.monotonic() + LONGEST_WAIT_S
        try:
            content = socket.recv(max(0.0, min(LONGEST_WAIT_S, until - time.monotonic())))
        except (TimeoutError, ConnectionClosed):
            return
        self.received += len(content)
        message = ForwardMsg.FromString(content)  # type: ignore[arg-type]
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._script = message.new_session.page_script_hash
            if not message.metadata.run.fragment_ids:  # all of the page: its fragments come anew
                self._due.clear()
        elif kind == "auto_rerun":
            again = message.auto_rerun
            heapq.heappush(self._due, (time.monotonic() + again.interval, again.interval, again.fragment_id))
        elif kind == "stop_auto_rerun":
            stopped = set(message.stop_auto_rerun.fragment_ids)
            self._due = sorted(each for each in self._due if each[2] not in stopped)
        elif kind == "script_finished":
            now = time.monotonic()
            self.waits_s += [now - asked for asked in self._asked.values()]
            self._asked.clear()

    def _ask_again(self, socket: ClientConnection) -> None:
        while self._due and self._due[0][0] <= time.monotonic():
            at, every, fragment = self._due[0]
            heapq.heapreplace(self._due, (at + every, every, fragment))
            if fragment not in self._asked:
                self._ask(socket, fragment)
