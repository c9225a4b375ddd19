"""Terms of notices: whether partners and staff are told what happens, and when.

They decide nothing about money: `fingerprint.terms_hash` leaves them out.
"""

from __future__ import annotations

from typing import Literal

from program.schema_base import Flag, Terms


class Notices(Terms):
    """Messages to partners by mail, and to staff by mail and chat."""

    enabled: Flag = False
    """What happens from the night on in which this is switched on is told; nothing before it."""
    weekly_statement: Literal[
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "off"
    ] = "monday"
    """Day on which partners get their statement of the seven days before it; `off`: never."""
    staff_webhook: Flag = True
    """Whether what staff is told by mail also goes to the chat's webhook."""
