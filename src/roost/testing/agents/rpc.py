"""JSON-RPC over lines: requests of ours wait for their answers, requests of theirs are handed on."""

from __future__ import annotations

import itertools
import json
import queue
import threading
from collections.abc import Callable
from typing import Any

from roost.testing.agents.output import Output
from roost.testing.agents.performing import Interrupted
from roost.testing.agents.stdin import input_lines

Json = dict[str, Any]
PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
CANCELLED = object()


class RpcError(Exception):
    """A request is refused: a code of JSON-RPC, a message, and more if there is more to say."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


class Peer:
    """Whoever is on the other side. `stamp` is what every message of ours begins with."""

    def __init__(self, output: Output, stamp: Json, first_id: int = 0) -> None:
        self._output = output
        self._stamp = stamp
        self._ids = itertools.count(first_id)
        self._lock = threading.Lock()
        self._asked: dict[int, queue.SimpleQueue[Any]] = {}
        self._is_closed = False

    def notify(self, method: str, params: Json, **fields: Any) -> None:
        """Tell something."""
        self._output.send({**self._stamp, "method": method, "params": params, **fields})

    def respond(self, request_id: Any, result: Any) -> None:
        """Answer a request."""
        self._output.send({**self._stamp, "id": request_id, "result": result})

    def refuse(self, request_id: Any, error: RpcError) -> None:
        """Refuse a request."""
        body: Json = {"code": error.code, "message": str(error)}
        if error.data is not None:
            body["data"] = error.data
        self._output.send({**self._stamp, "id": request_id, "error": body})

    def ask(self, method: str, params: Json, on_asked: Callable[[int], None] | None = None) -> Json:
        """Ask, and wait for the result; a refusal and the end of input are results without anything in them.

        Raises:
            Interrupted: the question was taken back.
            RpcError: the other side refused.
        """
        answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        with self._lock:
            request_id = next(self._ids)
            self._asked[request_id] = answers
        if on_asked:
            on_asked(request_id)
        self._output.send({**self._stamp, "method": method, "id": request_id, "params": params})
        answer = {} if self._is_closed else answers.get()
        if answer is CANCELLED:
            raise Interrupted
        if "error" in answer:
            error = answer["error"] or {}
            raise RpcError(error.get("code", 0), str(error.get("message")))
        return dict(answer.get("result") or {})

    def cancel(self) -> None:
        """Take back all questions."""
        self._release(CANCELLED)

    def serve(self, handle: Callable[[str, Json, Any], None]) -> None:
        """Read to the end of input. `handle(method, params, id)` gets requests and, with None for an id, notes; what
        it raises as RpcError is the answer."""
        for line in input_lines():
            self._take(line, handle)
        self._is_closed = True
        self._release({})

    def _take(self, line: bytes, handle: Callable[[str, Json, Any], None]) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            self.refuse(None, RpcError(PARSE_ERROR, "Parse error"))
            return
        if not isinstance(message, dict):
            self.refuse(None, RpcError(INVALID_REQUEST, "Invalid request"))
        elif "method" not in message:
            self._answered(message)
        else:
            self._hand_on(message, handle)

    def _hand_on(self, message: Json, handle: Callable[[str, Json, Any], None]) -> None:
        try:
            handle(str(message["method"]), message.get("params") or {}, message.get("id"))
        except RpcError as exc:
            if "id" in message:
                self.refuse(message["id"], exc)

    def _answered(self, message: Json) -> None:
        with self._lock:
            answers = self._asked.pop(message.get("id", -1), None)
        if answers is not None:
            answers.put(message)

    def _release(self, answer: Any) -> None:
        with self._lock:
            taken, self._asked = self._asked, {}
        for answers in taken.values():
            answers.put(answer)
