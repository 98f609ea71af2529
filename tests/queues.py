"""What task queues do to errors and models on their way between processes."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def through_celery(error: BaseException, serializer: str = "json") -> Any:
    """An error through the result of a Celery task, as its backends write and read it."""
    from celery import Celery
    from celery.backends.base import Backend

    app = Celery(set_as_current=False)
    app.conf.update(result_serializer=serializer, accept_content=[serializer])
    backend = Backend(app)
    stored = backend.encode(backend.prepare_exception(error))
    return backend.exception_to_python(backend.decode(stored))


def as_an_argument(value: Any) -> Any:
    """A value through the arguments of a Celery task."""
    serialization: Any = import_module("kombu.serialization")
    content_type, encoding, data = serialization.dumps([value], serializer="json")
    return serialization.loads(data, content_type, encoding)[0]
