"""Charts of the pages: data for the one script that draws them, and for the table below each.

Values are whole numbers (minor units or counts); the script divides by the currency's exponent
where it labels an axis, so no amount is ever a float here. What does not belong here: drawing
(static/charts.js).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from program.currencies import exponent

KINDS = ("line", "bar", "stacked")
COUNT = "count"


@dataclass(frozen=True)
class Series:
    """One line or row of bars. values: as many as the chart has places; None is a gap.

    is_compared: of the period that the page compares with; drawn fainter.
    """

    name: str
    values: Sequence[int | None]
    is_compared: bool = False


@dataclass(frozen=True)
class Chart:
    """A chart. unit: a currency code for minor units, or ``count``. x: labels of the places.

    partial: how many places at the end are not over yet; they are marked.
    """

    name: str
    title: str
    description: str
    kind: str
    x: Sequence[str]
    series: Sequence[Series]
    unit: str = COUNT
    partial: int = 0

    def __post_init__(self) -> None:
        """Lines of unequal length would be drawn at wrong places."""
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no kind of chart; known are {', '.join(KINDS)}")
        for each in self.series:
            if len(each.values) != len(self.x):
                raise ValueError(f"{self.name}: {each.name} has {len(each.values)} values")

    @property
    def is_money(self) -> bool:
        """Whether the values are minor units of a currency."""
        return self.unit != COUNT

    @property
    def data(self) -> str:
        """What the script needs, as JSON for an attribute."""
        return json.dumps(
            {
                "kind": self.kind,
                "x": list(self.x),
                "unit": self.unit,
                "exponent": exponent(self.unit) if self.is_money else 0,
                "partial": self.partial,
                "series": [
                    {"name": each.name, "values": list(each.values), "faint": each.is_compared}
                    for each in self.series
                ],
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
