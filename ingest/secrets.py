"""Secrets of sources: from the environment only, never logged and never in an error.

Does not belong here: files with keys, which the library of their vendor reads.
"""

from __future__ import annotations

import os

from ingest.errors import PermanentSourceError


def read_secret(source: str, variable: str, setting: str) -> str:
    """The secret in an environment variable. setting: which one names the variable.

    Raises: PermanentSourceError naming the variable, never its value.
    """
    secret = os.environ.get(variable, "").strip()
    if not secret:
        raise PermanentSourceError(
            f"the environment variable {variable} is not set",
            f"Set it to the key of source {source}, or name another in sources.{source}.{setting}.",
        )
    if not secret.isascii() or not secret.isprintable():
        raise PermanentSourceError(
            f"the environment variable {variable} does not hold a key: it has characters "
            "that no key has",
            f"Copy the key of source {source} again.",
        )
    return secret
