"""A local language model, asked over Ollama's HTTP API; its answer comes piece by piece."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import httpx

from flowml.storage.errors import NotReady
from flowml.storage.records import Json

CONNECT_S = 3.0
CONTEXT = 8192  # tokens: all statements and the answer fit in


class Ollama(NamedTuple):
    """Where it is asked, and how. An empty `model` stands for the first that Ollama has."""

    url: str
    model: str = ""
    max_tokens: int = 1024
    timeout_s: float = 60.0  # for each piece of an answer

    def stream(self, messages: Sequence[Json]) -> Iterator[str]:
        """The pieces of the answer to a chat. Raises NotReady where it cannot be asked or stops answering."""
        asked = {
            "model": self.model or self._first(),
            "messages": list(messages),
            "stream": True,
            "options": {"temperature": 0, "seed": 0, "num_predict": self.max_tokens, "num_ctx": CONTEXT},
        }
        try:
            with self._client() as client, client.stream("POST", "/api/chat", json=asked) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise self._refused(answer.read(), answer.status_code)
                yield from self._pieces(answer.iter_lines())
        except httpx.HTTPError as error:
            raise self._gone(error) from error

    def _pieces(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            if not line.strip():
                continue
            try:
                told = json.loads(line)
            except ValueError:
                raise self._gone(ValueError("a line is no JSON")) from None
            if told.get("error"):
                raise self._refused(line.encode(), httpx.codes.OK)
            yield str(told.get("message", {}).get("content", ""))
            if told.get("done"):
                return
        raise self._gone(EOFError("the answer broke off"))

    def _first(self) -> str:
        try:
            with self._client() as client:
                found = client.get("/api/tags").raise_for_status().json()["models"]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise self._gone(error) from error
        if not found:
            raise NotReady(f"Ollama at {self.url} has no model.", "Fetch one there: `ollama pull MODEL`.")
        return str(found[0]["name"])

    def _client(self) -> httpx.Client:
        timeout = httpx.Timeout(self.timeout_s, connect=CONNECT_S)
        return httpx.Client(base_url=self.url, timeout=timeout, trust_env=False)

    def _refused(self, content: bytes, status: int) -> NotReady:
        try:
            why = str(json.loads(content)["error"])[:200]
        except (ValueError, KeyError, TypeError):
            why = f"status {status}"
        return NotReady(
            f"Ollama at {self.url} refuses: {why}.", "Look at FLOWML_OLLAMA_MODEL and `ollama list`."
        )

    def _gone(self, error: Exception) -> NotReady:
        kind = "in time" if isinstance(error, httpx.TimeoutException) else "any more"
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            kind = "at all"
        return NotReady(
            f"Ollama at {self.url} does not answer {kind}.",
            "Start it again (`ollama serve`), then ask again.",
        )
