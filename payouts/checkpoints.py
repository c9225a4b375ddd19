"""Named points between two steps that a crash may separate.

What belongs here: the hook alone. Production leaves ``observer`` at None; crash tests set it in a
process of their own and kill that process at a chosen point (payouts reference, 4.5 and T17).
"""

from __future__ import annotations

from collections.abc import Callable

observer: Callable[[str], None] | None = None


def reached(name: str) -> None:
    """Tell the observer, if there is one, that the step ``name`` has just been finished."""
    if observer is not None:
        observer(name)
