"""`client.exports`: CSV files of what the project holds."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping
from contextlib import aclosing, asynccontextmanager
from functools import cached_property, partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from .._calls.caller import CallOptions
from .._checks import check_count
from .._files.atomic import file_path
from .._files.download import chunks, opened, write
from .._files.partial_file import Chunk
from .._files.spreadsheets import escaped
from .._files.transaction_rows import TransactionRows
from .._protocol.routes import CREATE_EXPORT, DELETE_EXPORT, GET_EXPORT, LIST_EXPORTS
from ..errors import InvalidArgumentError, ResponseValidationError
from ..jobs import ExportJob, Progress, check_export, wait_until_finished
from ..models.exports import Export
from ..pagination import AsyncPaginator
from . import _arguments
from ._raw import RawResource, raw
from ._resource import DEFAULT_LIMIT, Resource

if TYPE_CHECKING:
    from ..models import ExportCreate, ExportOrder


class Exports(Resource):
    """Create, follow and download exports."""

    @cached_property
    def with_raw_response(self) -> RawExports:
        """The same methods, which return status and headers too."""
        return RawExports(self)

    async def create(
        self, body: ExportCreate | Mapping[str, Any], **options: Unpack[CallOptions]
    ) -> ExportJob:
        """Begin an export (`POST /v1/exports`, operation create-export).

        Args:
            body: `VoucherExportCreate` and the like, or the mapping that Voucherify documents.

        Returns:
            A handle on the export.

        Raises:
            BadRequestError: A field or filter is unknown.
            AmbiguousOutcomeError: The export may or may not have been accepted.
        """
        body = _arguments.object_body(body)
        return self.follow(await self._fetch(Export, CREATE_EXPORT(), options, body=body))

    async def get(self, id: str, **options: Unpack[CallOptions]) -> Export:  # noqa: A002
        """Read an export (`GET /v1/exports/{exportId}`, operation get-export).

        Args:
            id: Its id.

        Returns:
            The export, with the address of its file in `result.url` once it has ended.

        Raises:
            NotFoundError: There is no such export.
        """
        return await self._fetch(Export, GET_EXPORT(id=id), options)

    def list(
        self,
        *,
        limit: int = DEFAULT_LIMIT,
        page: int = 1,
        order: ExportOrder | None = None,
        max_items: int | None = None,
        prefetch: int = 1,
        **options: Unpack[CallOptions],
    ) -> AsyncPaginator[Export]:
        """List exports (`GET /v1/exports`, operation list-exports).

        Args:
            limit: Exports a page, 1 to 100.
            page: The page to begin with, 1 to 100.
            order: What to sort by; a dash before it sorts downwards.
            max_items: How many exports to yield at the most.
            prefetch: Pages to read ahead while you work on one; 0 reads none ahead.

        Returns:
            A paginator: iterate it, or await it for the first page.

        Raises:
            InvalidArgumentError: An argument is out of range.
        """
        check_count("page", page, most=100)
        return self._list(
            Export,
            LIST_EXPORTS(),
            {"limit": limit, "page": page, "order": order},
            options,
            max_items=max_items,
            prefetch=prefetch,
        )

    async def delete(self, id: str, **options: Unpack[CallOptions]) -> None:  # noqa: A002
        """Delete an export (`DELETE /v1/exports/{exportId}`, operation delete-export).

        Args:
            id: Its id.

        Raises:
            NotFoundError: There is no such export.
        """
        await self._send(DELETE_EXPORT(id=id), options)

    async def wait(
        self,
        id: str,  # noqa: A002
        *,
        timeout: float | None = None,  # noqa: ASYNC109
        on_progress: Progress[Export] | None = None,
    ) -> Export:
        """Look at an export until it has ended.

        Args:
            id: Its id.
            timeout: Seconds to wait at the most; None waits as long as it takes.
            on_progress: Called with every report; an async function is awaited.

        Returns:
            The export, with the address of its file in `result.url`.

        Raises:
            NotFoundError: There is no such export.
            WaitTimeoutError: It had not ended in time; it goes on.
            ExportFailedError: It ended in ERROR.
        """
        return check_export(
            await wait_until_finished(
                partial(self.get, id),
                id=id,
                clock=self._caller.settings.clock,
                timeout=timeout,
                on_progress=on_progress,
            )
        )

    async def download(
        self, export: Export | str, to: str | PathLike[str], *, escape: bool = False
    ) -> Path:
        """Write an export's CSV to a file, chunk by chunk (operation download-export).

        A download that breaks off goes on from there if the server proves that the file is still
        the same one, and begins anew otherwise; as often in a row as the client's retry policy has
        attempts.

        Args:
            export: An export that has ended, or its id.
            to: The file's path; it appears there whole or not at all. A file that is replaced keeps
                its mode; a new one is readable by its owner alone. A symbolic link is refused.
            escape: Whether cells that a spreadsheet would run as formulas get an apostrophe in
                front, see `escape_cell`. By default the file is as Voucherify wrote it.

        Returns:
            The path.

        Raises:
            InvalidArgumentError: The export has no file yet, or `to` cannot be the name of a file.
            ResponseValidationError: What came is not a CSV file.
            APIError: The download was refused.
            TransportError: The download broke off for good, or nothing says that it is whole.
            OSError: The file cannot be written.
        """
        target = file_path(to, "to")
        file = chunks(self._caller, await self._address(export))
        return await write(escaped(file) if escape else file, target)

    def rows(self, export: Export | str | Awaitable[Export]) -> TransactionRows:
        """Read the transactions of an export while its CSV comes in.

        ```python
        async for transaction in client.exports.rows(export):
            ...
        ```

        What the file lacks is None; columns that the library does not know are in `extra`. Calls go
        on beside it: once begun, a download takes no place under `max_concurrency`.

        Args:
            export: An export of voucher transactions that has ended, or its id.

        Returns:
            An async iterator of `VoucherTransaction`. Nothing is sent until it is used.

        Raises:
            InvalidArgumentError: When iterated: the export has no file yet, or is one of something
                else.
            ResponseValidationError: When iterated: the file is not CSV, or a cell is not what its
                column takes; the message says where.
            APIError: When iterated: the download was refused.
            TransportError: When iterated: the download broke off for good, or nothing says that it
                is whole.
        """
        return TransactionRows(self._chunks(export))

    async def _chunks(
        self, export: Export | str | Awaitable[Export]
    ) -> AsyncGenerator[Chunk, None]:
        if isinstance(export, str):
            export = await self.get(export)
        elif not isinstance(export, Export):
            export = await export
        if export.exported_object != "voucher_transactions":
            raise InvalidArgumentError(
                f"export: has rows of {export.exported_object}, which rows() does not read; take "
                "exports.download() or exports.open()"
            )
        async with aclosing(chunks(self._caller, await self._address(export))) as file:
            async for chunk in file:
                yield chunk

    @asynccontextmanager
    async def open(self, export: Export | str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open an export's CSV as a stream of bytes.

        ```python
        async with client.exports.open(export) as content:
            async for some in content:
                ...
        ```

        Args:
            export: An export that has ended, or its id.

        Yields:
            The bytes of the file, as they come. An iteration that ends without an error has had
            them all.

        Raises:
            InvalidArgumentError: The export has no file yet.
            ResponseValidationError: What came is not a CSV file.
            APIError: The download was refused.
            TransportError: The download broke off, or nothing says that it is whole.
        """
        async with opened(self._caller, await self._address(export)) as content:
            yield content

    async def _address(self, export: Export | str) -> str:
        """Where the file of an export lies.

        Raises:
            InvalidArgumentError: It has none yet.
            ResponseValidationError: It is done, and names no file.
        """
        if isinstance(export, str):
            export = await self.get(export)
        url = export.result.url if export.result else None
        if url:
            return url
        if export.status == "DONE":
            raise ResponseValidationError(
                json_path="$.result.url",
                expected="the address of the file",
                value=url,
                model="Export",
                path=GET_EXPORT.template,
            )
        raise InvalidArgumentError(
            f"export: {export.id} has no file (status: {export.status}); wait for it with "
            "exports.wait(id)"
        )

    def follow(self, export: Export) -> ExportJob:
        """A handle on an export that was accepted."""
        # The routes refuse an answer without an id.
        return ExportJob(export, export.id or "", self)


class RawExports(RawResource[Exports]):
    """`client.exports.with_raw_response`."""

    create = raw(Exports.create)
    get = raw(Exports.get)
    list = raw(Exports.list)
    delete = raw(Exports.delete)
    wait = raw(Exports.wait)
