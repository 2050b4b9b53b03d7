"""HTTP as uvicorn speaks it, with large bodies handed on in large pieces: each has a price of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

PIECE = 1 << 20  # bytes
LONGEST_WAIT_S = 0.02  # of a byte, until its piece is handed on


class Protocol(H11Protocol):
    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._to_come = 0  # bytes of a large body
        self._piece: list[bytes] = []
        self._gathered = 0
        self._timer: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        if not self._to_come:
            before = self.cycle
            super().data_received(data)
            if self.cycle is not before:
                self._to_come = self._left_of_body()
            return
        self._piece.append(data)
        self._gathered += len(data)
        self._to_come = max(0, self._to_come - len(data))
        if not self._to_come or self._gathered >= PIECE:
            self._hand_on()
        elif self._timer is None:
            self._timer = self.loop.call_later(LONGEST_WAIT_S, self._hand_on)

    def connection_lost(self, exc: Exception | None) -> None:
        self._hand_on()
        super().connection_lost(exc)

    def _left_of_body(self) -> int:
        """Nothing of a small one, nor of one whose length is not told."""
        length = dict(self.headers).get(b"content-length", b"0")
        if self.conn.their_state is not h11.SEND_BODY or not length.isdigit():
            return 0
        left = int(length) - len(self.cycle.body)
        return left if left > PIECE else 0

    def _hand_on(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        piece, self._piece, self._gathered = b"".join(self._piece), [], 0
        if piece:
            super().data_received(piece)
