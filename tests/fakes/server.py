"""A server that speaks the OpenAI form, behaving well or badly as it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# Returns the answer's text for a request's body; an integer is a status to fail with, a
# mapping is sent as the whole body, and ``None`` drops the connection.
Behaviour = Callable[[dict[str, Any]], str | int | dict[str, Any] | None]


class ScriptedServer(ThreadingHTTPServer):
    """Keeps what it was asked."""

    daemon_threads = True
    behaviour: Behaviour
    asked: list[dict[str, Any]]

    def handle_error(self, *_: object) -> None:
        """Say nothing: a client that gave up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedServer

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._send({"object": "list", "data": [{"id": "scripted", "object": "model", "created": 0, "owned_by": "us"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        said = self.server.behaviour(body)
        if said is None:
            self.close_connection = True
            self.connection.close()
        elif isinstance(said, int):
            self.send_response(said)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._send(said if isinstance(said, dict) else completion(said))

    def _send(self, value: dict[str, Any]) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def completion(text: str, logprobs: Any = None) -> dict[str, Any]:
    """Return an answer as it is sent."""
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": logprobs}
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "scripted", "choices": [choice]}


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[tuple[str, ScriptedServer]]:
    """Run a server on loopback; yield its base address and itself."""
    server = ScriptedServer(("127.0.0.1", 0), _Handler)
    server.behaviour, server.asked = behaviour, []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", server
    finally:
        server.shutdown()
        server.server_close()


def schema_of(body: dict[str, Any]) -> dict[str, Any]:
    """Return the schema that a request names, in either form."""
    form = body["response_format"]
    schema = form.get("json_schema", form)["schema"]
    assert isinstance(schema, dict)
    return schema


def obedient(body: dict[str, Any]) -> str:
    """Answer with the first thing that the schema allows."""
    return json.dumps({name: _first(part) for name, part in schema_of(body)["properties"].items()})


def slow(seconds: float) -> Behaviour:
    """Return a behaviour that answers late."""

    def behaviour(body: dict[str, Any]) -> str:
        time.sleep(seconds)
        return obedient(body)

    return behaviour


def _first(schema: dict[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "array":
        return [_first(schema["items"])] if "items" in schema else []
    return "a sentence of some length"
