"""The language model behind an OpenAI-compatible endpoint: Chat Completions, first with tools, then with a schema, never both."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openai import BadRequestError, OpenAI, OpenAIError
from openai.types.chat import ChatCompletionMessage, ChatCompletionMessageFunctionToolCall
from pydantic import BaseModel, ValidationError

from analyst.settings import ModelSettings
from domain.errors import MrmError

MOST_TURNS = 6
"""Turns of the tool stage; a model that goes on asking is answered no more."""
MOST_CALLS = 12
LONGEST_ANSWER = 40_000

Message = dict[str, Any]


class ModelFailed(MrmError):
    """The model gave nothing that can be used; the template speaks instead."""

    def __init__(self, why: str) -> None:
        super().__init__("The language model gave no usable answer", why=why, fix="The report is worded by the template; check OPENAI_BASE_URL and the key")


class Tool(BaseModel):
    """A read-only function that the model may call in the first stage."""

    name: str
    description: str
    parameters: dict[str, Any]


class Conversation:
    """One report's talk with the model, bounded in turns and seconds."""

    def __init__(self, settings: ModelSettings) -> None:
        self.settings = settings
        self._client = OpenAI(
            api_key=settings.api_key.get_secret_value(),
            base_url=settings.base_url,
            timeout=settings.timeout,
            max_retries=settings.retries,
        )
        self._deadline = time.monotonic() + settings.budget

    def close(self) -> None:
        """Release connections; a request that still waits fails."""
        self._client.close()

    def with_tools(self, messages: list[Message], tools: Sequence[Tool], answer: Callable[[str, Mapping[str, Any]], str]) -> None:
        """Let the model call tools until it has no more calls; `messages` grows by the exchange.

        Raises ModelFailed where it does not answer.
        """
        offered = [{"type": "function", "function": tool.model_dump()} for tool in tools]
        for _ in range(MOST_TURNS):
            message = self._complete(messages, tools=offered, tool_choice="auto")
            calls = [call for call in message.tool_calls or [] if isinstance(call, ChatCompletionMessageFunctionToolCall)][:MOST_CALLS]
            if not calls:
                return
            asked = [{"id": c.id, "type": "function", "function": {"name": c.function.name, "arguments": c.function.arguments}} for c in calls]
            messages.append({"role": "assistant", "content": message.content or "", "tool_calls": asked})
            for call in calls:
                messages.append({"role": "tool", "tool_call_id": call.id, "content": answer(call.function.name, _arguments(call.function.arguments))})

    def as_schema(self, messages: list[Message], name: str, schema: type[BaseModel]) -> BaseModel:
        """Ask for one JSON object of a schema, without tools; a server that knows no schemas is asked in words.

        Raises ModelFailed where it does not answer, or not with such an object.
        """
        form = {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": _strict(schema)}}
        try:
            message = self._complete(messages, response_format=form)
        except _SchemaRefused:
            message = self._complete(messages)
        text = (message.content or "")[:LONGEST_ANSWER]
        start, end = text.find("{"), text.rfind("}")
        try:
            return schema.model_validate_json(text[start : end + 1])
        except ValidationError as error:
            raise ModelFailed(f"its answer is not the JSON that was asked for: {error.errors()[0]['msg']}") from error

    def _complete(self, messages: list[Message], **options: Any) -> ChatCompletionMessage:  # noqa: ANN401 passed through to the client
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise ModelFailed(f"it took longer than {self.settings.budget:g} seconds")
        told: Any = messages
        try:
            reply = self._client.chat.completions.create(model=self.settings.model, messages=told, timeout=min(self.settings.timeout, left), **options)
        except BadRequestError as error:
            if "response_format" in options:
                raise _SchemaRefused from error
            raise ModelFailed(f"{type(error).__name__}: status {error.status_code}") from error
        except (OpenAIError, ValueError) as error:
            raise ModelFailed(_why(error)) from error
        choices = getattr(reply, "choices", None)
        if not choices or not isinstance(choices[0].message, ChatCompletionMessage):
            raise ModelFailed("its answer holds no message")
        return choices[0].message


class _SchemaRefused(Exception):
    """The server does not take a response schema."""


def _why(error: Exception) -> str:
    """Say what went wrong without the server's words, which may echo a key."""
    status = getattr(error, "status_code", None)
    return f"{type(error).__name__}: status {status}" if status else type(error).__name__


def _arguments(text: str) -> Mapping[str, Any]:
    """Read a tool call's arguments; what is no JSON object counts as none."""
    try:
        loaded = json.loads(text)
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _strict(schema: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema in the strict dialect: every object closed, every property required."""

    def close(node: Any) -> Any:  # noqa: ANN401 JSON
        if isinstance(node, list):
            return [close(part) for part in node]
        if not isinstance(node, dict):
            return node
        closed = {key: close(value) for key, value in node.items() if key not in {"title", "default"} or isinstance(value, dict)}
        if closed.get("type") == "object":
            closed |= {"additionalProperties": False, "required": list(closed.get("properties", {}))}
        return closed

    loaded: dict[str, Any] = close(schema.model_json_schema())
    return loaded
