"""The error bodies of the API, as exceptions that a handler raises."""

from __future__ import annotations

from typing import Any


class ApiFailure(Exception):
    """A request that ends in an error body."""

    def __init__(
        self,
        status: int,
        key: str | None,
        message: str,
        details: str | None = None,
        *,
        resource: tuple[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(details or message)
        self.status = status
        self.key = key
        self.message = message
        self.details = details
        self.resource = resource
        self.headers = headers or {}

    def body(self, request_id: str) -> dict[str, Any]:
        """Return the error body, its keys in the API's order."""
        body: dict[str, Any] = {"code": self.status}
        if self.key is not None:
            body["key"] = self.key
        body["message"] = self.message
        if self.details is not None:
            body["details"] = self.details
        body["request_id"] = request_id
        if self.resource is not None:
            body["resource_id"], body["resource_type"] = self.resource
        return body


class TooLarge(ApiFailure):
    """A body over the ceiling, whose error has a shape of its own."""

    def __init__(self, ceiling: int) -> None:
        super().__init__(
            413, None, f"Payload content length greater than maximum allowed: {ceiling}"
        )

    def body(self, request_id: str) -> dict[str, Any]:
        """Return the three-key body of a 413."""
        del request_id
        return {
            "statusCode": self.status,
            "error": "Request Entity Too Large",
            "message": self.message,
        }


def not_found(kind: str, identifier: str) -> ApiFailure:
    """Return the 404 of a missing resource."""
    details = f"There is no {kind} with the id {identifier}"
    return ApiFailure(404, "not_found", "Resource not found", details, resource=(identifier, kind))


def duplicate(code: str) -> ApiFailure:
    """Return the 409 of a code that is taken."""
    details = f"The code {code} is taken by another voucher"
    return ApiFailure(
        409,
        "duplicate_found",
        "Duplicated resource found",
        details,
        resource=(code, "voucher"),
    )


def invalid_payload(details: str) -> ApiFailure:
    """Return the 400 of a body that does not fit."""
    return ApiFailure(400, "invalid_payload", "Invalid payload", details)


def invalid_query(details: str) -> ApiFailure:
    """Return the 400 of a query parameter that does not fit."""
    return ApiFailure(400, "invalid_query_params", "Invalid query params", details)


def invalid_voucher(details: str) -> ApiFailure:
    """Return the 400 of an operation that this voucher does not allow."""
    return ApiFailure(400, "invalid_voucher", "Invalid Voucher", details)


def unauthorized(details: str) -> ApiFailure:
    """Return the 401 of missing, unknown or expired credentials."""
    return ApiFailure(401, None, "Unauthorized", details)


def missing_permission(scope: str) -> ApiFailure:
    """Return the 403 of a token whose scope does not cover the operation."""
    details = f"The token needs the scope {scope} or api"
    return ApiFailure(403, "missing_required_permission", "Missing permission", details)


def method_not_allowed(method: str, allowed: set[str]) -> ApiFailure:
    """Return the 405 that names the methods of a path."""
    names = sorted(allowed)
    details = f"{method} is not supported by this endpoint. Did you mean {' or '.join(names)}?"
    headers = {"allow": ", ".join(names)}
    return ApiFailure(405, None, "HTTP Method Not Allowed", details, headers=headers)


def not_acceptable(accepted: str) -> ApiFailure:
    """Return the 406 of a request that does not accept JSON."""
    details = f"Only application/json is available, and the Accept header says {accepted}"
    return ApiFailure(406, None, "Not Acceptable", details)
