"""Static files: their addresses carry a digest, so browsers keep them for ever."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles


class LastingFiles(StaticFiles):
    """Files that never change under one address."""

    def file_response(self, *arguments: Any, **named: Any) -> Response:
        """The file, with leave to keep it."""
        answer = super().file_response(*arguments, **named)
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer
