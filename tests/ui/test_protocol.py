"""Bodies over a real connection: large ones in few pieces, none held back, whatever follows them answered."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from queue import Queue
from typing import Any

import pytest
import uvicorn

from flowml.ui.protocol import PIECE, Protocol

WAIT_S = 30


@pytest.fixture
def told() -> Queue[bytes]:
    """The pieces that the application hears; an empty one ends a body, b"gone" a connection."""
    return Queue()


@pytest.fixture
def connection(told: Queue[bytes]) -> Iterator[socket.socket]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        more = scope["type"] == "http"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                told.put(b"gone")
                return
            told.put(message["body"])
            more = message["more_body"]
        told.put(b"")
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    server = uvicorn.Server(uvicorn.Config(app, http=Protocol, lifespan="off", log_config=None, ws="none"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        with socket.create_connection(listener.getsockname(), WAIT_S) as connection:
            yield connection
        server.should_exit = True
        thread.join(WAIT_S)


def head(size: int) -> bytes:
    return b"PUT / HTTP/1.1\r\nHost: studio\r\nContent-Length: %d\r\n\r\n" % size


def pieces(told: Queue[bytes], size: int) -> list[bytes]:
    heard: list[bytes] = []
    while sum(map(len, heard)) < size:
        heard.append(told.get(timeout=WAIT_S))
    return heard


def answered(connection: socket.socket) -> None:
    heard = b""
    while b"\r\n\r\n" not in heard:
        heard += connection.recv(1 << 16)
    assert heard.startswith(b"HTTP/1.1 200")


def test_bodies_arrive_whole_one_after_the_other(connection: socket.socket, told: Queue[bytes]) -> None:
    for size in (5 * PIECE + 7, 3, 2 * PIECE, 0):
        body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
        connection.sendall(head(size) + body)
        heard = []
        while not heard or heard[-1]:
            heard.append(told.get(timeout=WAIT_S))
            if not size:
                break
        assert b"".join(heard) == body
        answered(connection)
        if not size:
            assert told.get(timeout=WAIT_S) == b""


def test_what_has_come_of_a_slow_body_is_not_held_back(connection: socket.socket, told: Queue[bytes]) -> None:
    connection.sendall(head(2 * PIECE))
    for letter in (b"a", b"b"):
        connection.sendall(letter * 1000)
        assert b"".join(pieces(told, 1000)) == letter * 1000
    connection.close()
    while told.get(timeout=WAIT_S) != b"gone":
        pass


def test_a_request_that_follows_at_once_is_no_part_of_the_body(
    connection: socket.socket, told: Queue[bytes]
) -> None:
    size = 2 * PIECE + 1
    connection.sendall(head(size) + b"x" * size + head(5) + b"yyyyy")
    assert set(b"".join(pieces(told, size))) == set(b"x")
    heard = [told.get(timeout=WAIT_S) for _ in range(3)]
    assert [each for each in heard if each] == [b"yyyyy"]
