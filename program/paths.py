"""Where a setting stands inside a terms file: a tuple of keys and list positions."""

from __future__ import annotations

SettingPath = tuple[str | int, ...]

Finding = tuple[SettingPath, str, str]
"""A fault before it has a line: path, message, hint (may be empty)."""


def format_path(path: SettingPath) -> str:
    """Write a path the way messages show it.

    >>> format_path(("lead", 0, "valid_when"))
    'lead[0].valid_when'
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
