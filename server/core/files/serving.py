"""Sending a file: never shown by the browser, in pieces, from where the client left off."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from foodflow_kernel import sentences
from foodflow_kernel.errors import NotFound, Refused
from foodflow_kernel.machines.content import FileState
from server.core import http
from server.core.files.store import TenantFiles, blob_key
from server.core.models import Attachment

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


async def send(request: Request, files: TenantFiles, row: Attachment) -> Response:
    """The content of a clean file, or the part that ``Range`` asks for (RFC 9110, 14).

    Raises:
        Refused: `file_not_clean`.
        NotFound: `file_lost`: the store does not have it.
    """
    if row.state is not FileState.clean or row.blob_sha256 is None:
        raise Refused("file_not_clean", state=row.state)
    etag = f'"{row.blob_sha256.hex()}"'
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row.filename, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-cache",
        "Accept-Ranges": "bytes",
        "ETag": etag,
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    asked = request.headers.get("range", "")
    if request.headers.get("if-range", etag) != etag:
        asked = ""
    part = part_of(asked, row.size)
    if part is None:
        code = "range_unsatisfiable"
        return http.problem(416, code, sentences.sentence(code, {}), headers={"Content-Range": f"bytes */{row.size}"})
    start, end, is_part = part
    if is_part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{row.size}"
    key = blob_key(row.blob_sha256)
    if not await files.has(key):
        raise NotFound("file_lost", id=row.id)
    headers["Content-Length"] = str(end - start)
    body: AsyncIterator[bytes] = files.read(key, start, end)
    return StreamingResponse(body, 206 if is_part else 200, headers, media_type=row.media_type)


def part_of(header: str, size: int) -> tuple[int, int, bool] | None:
    """Start and end (not included) [byte] that a Range asks for, and whether it is a part; None: there is no such part.

    What is no single range of bytes is ignored, as RFC 9110, 14.2 allows.

    >>> part_of("bytes=5-9", 100), part_of("bytes=90-", 100), part_of("bytes=-10", 100)
    ((5, 10, True), (90, 100, True), (90, 100, True))
    >>> part_of("bytes=9-5", 100), part_of("lines=1-2", 100), part_of("bytes=100-", 100)
    ((0, 100, False), (0, 100, False), None)
    """
    found = _RANGE.fullmatch(header.replace(" ", ""))
    if found is None or found.groups() == ("", ""):
        return 0, size, False
    first, last = found.groups()
    if not first:
        return (max(0, size - int(last)), size, True) if int(last) else None
    start, end = int(first), min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return 0, size, False
    return (start, end, True) if start < size else None
