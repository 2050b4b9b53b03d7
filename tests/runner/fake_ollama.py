"""A small stand-in for Ollama's HTTP API: the shapes of its answers, as version 0.9 gives them."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Say = Callable[[list[dict[str, str]]], list[str]]


@dataclass
class FakeOllama:
    """`say` makes the pieces of an answer of the chat; `breaks_after`: pieces, after which it is gone."""

    say: Say
    models: tuple[str, ...] = ("llama3.2:3b",)
    breaks_after: int | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""


@contextlib.contextmanager
def serving(fake: FakeOllama) -> Iterator[FakeOllama]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            told: dict[str, Any] = {"version": "0.9.6"}
            if self.path == "/api/tags":
                told = {"models": [{"name": name, "model": name, "size": 2019393189} for name in fake.models]}
            self._whole(200, told)

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            fake.asked.append(asked)
            if asked["model"] not in fake.models:
                self._whole(404, {"error": f"model '{asked['model']}' not found"})
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/x-ndjson")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for place, piece in enumerate(fake.say(asked["messages"])):
                if place == fake.breaks_after:
                    self.close_connection = True
                    return
                self._line({"message": {"role": "assistant", "content": piece}, "done": False})
            self._line({"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"})
            self.wfile.write(b"0\r\n\r\n")

        def _line(self, told: dict[str, Any]) -> None:
            model = {"model": fake.models[0], "created_at": "2025-07-01T12:00:00.000000Z"}
            line = json.dumps(model | told).encode() + b"\n"
            self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            self.wfile.flush()

        def _whole(self, status: int, told: dict[str, Any]) -> None:
            content = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        fake.url = f"http://127.0.0.1:{server.server_port}"
        yield fake
        server.shutdown()
