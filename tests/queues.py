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


def through_taskiq(error: BaseException) -> Any:
    """An error through the result of a taskiq task that is written as JSON."""
    from taskiq import TaskiqResult
    from taskiq.compat import model_dump, model_validate
    from taskiq.serializers import JSONSerializer

    result: Any = TaskiqResult(is_err=True, return_value=None, execution_time=0, error=error)
    stored = JSONSerializer().dumpb(model_dump(result))
    return model_validate(TaskiqResult[None], JSONSerializer().loadb(stored)).error


def as_an_argument(value: Any) -> Any:
    """A value through the arguments of a Celery task."""
    serialization: Any = import_module("kombu.serialization")
    content_type, encoding, data = serialization.dumps([value], serializer="json")
    return serialization.loads(data, content_type, encoding)[0]
