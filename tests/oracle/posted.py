"""What earlier nights posted and later facts leave alone (decisions 0018 and 0040).

Belongs here: the memory that a night hands to the next. Does not belong here: pins (rulings.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from .desired import DesiredLine


@dataclass(frozen=True)
class Posted:
    """bonuses: as they were posted. countries: customer's country of each line that was posted.

    referrers: by referred earning, who has a share of it that was posted, and the day on which the
    referred partner had joined by then.
    """

    bonuses: tuple[DesiredLine, ...] = ()
    countries: Mapping[str, str] = field(default_factory=dict)
    referrers: Mapping[str, tuple[str, date]] = field(default_factory=dict)
