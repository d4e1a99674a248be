"""Yandex.Direct errors: the code, its sentence, and the detail."""

from dataclasses import dataclass

from sandbox.web import Answer, json_answer

SENTENCES = {
    52: "Authorization server temporarily unavailable",
    53: "Authorization error",
    54: "No rights",
    55: "Operation not found",
    56: "Method request limit exceeded",
    152: "Not enough Yandex units",
    506: "Exceeded limit on number of connections",
    58: "Incomplete registration",
    513: "Your username is not enabled in Yandex Direct",
    1000: "Server temporarily unavailable",
    1001: "Service initialization error",
    1002: "Operation error",
    3500: "Not supported",
    4000: "Invalid request parameters",
    4001: "Invalid selection criteria",
    4002: "Invalid selection of fields",
    8000: "Invalid request",
    8800: "Object not found",
    9000: "Error generating the report",
}


@dataclass
class DirectError(Exception):
    """One error. Reports answer it with `status`; the other services always with 200."""

    code: int
    detail: str = ""
    status: int = 400
    retry_in: int | None = None

    def __post_init__(self) -> None:
        super().__init__(f"{self.code} {self.detail}")

    def answer(self, request_id: str, *, report: bool) -> Answer:
        """Return the HTTP answer."""
        body = {"error": {"request_id": request_id, "error_code": self.code, "error_string": SENTENCES[self.code], "error_detail": self.detail}}
        headers = {} if self.retry_in is None else {"retryIn": str(self.retry_in)}
        return json_answer(self.status if report or self.status >= 500 else 200, body, headers)
