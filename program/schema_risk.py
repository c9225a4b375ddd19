"""Terms of fraud signals: from when a pattern is worth a look. A signal never changes an amount."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from program.schema_base import Terms

Count = Annotated[StrictInt, Field(ge=1, le=1_000_000)]


class Risk(Terms):
    """Which signals are raised, and which of them open a hold for somebody to release."""

    hold_from: Literal["high", "medium", "never"] = "high"
    """Signals of this severity and above open a hold; the others are exceptions only."""
    fast_signup_seconds: Count = 10
    """A signup that follows its click sooner than this."""
    burst_leads: Count = 20
    """More submissions of one partner than this ..."""
    burst_hours: Annotated[StrictInt, Field(ge=1, le=24 * 366)] = 24
    """... within so many hours."""
    refund_times: Annotated[StrictInt, Field(ge=1, le=1000)] = 3
    """A share of refunded lines more than so many times the partner's own past share."""
    refund_min_lines: Count = 20
    """Paid lines, in both spans, below which refunds say nothing."""
