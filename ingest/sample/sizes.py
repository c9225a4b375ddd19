"""Sizes and span of one generated programme, validated. No SQL and no records here."""

from dataclasses import dataclass
from datetime import date

from ingest.sample.errors import SampleError

MIN_PARTNERS = 8
MIN_MONTHS = 3


@dataclass(frozen=True)
class Sizes:
    """What to generate: every fact lies in [start, end), in UTC."""

    seed: int
    partners: int
    leads: int
    months: int
    start: date
    invoice_lines: int | None

    def __post_init__(self) -> None:
        """Refuse sizes for which the files would not hang together, naming the argument."""
        problems = []
        if self.partners < MIN_PARTNERS:
            problems.append(
                f"partners is {self.partners}: the hand-placed stories need {MIN_PARTNERS}"
            )
        if self.leads < 1:
            problems.append(f"leads is {self.leads}: at least 1 is needed")
        if self.months < MIN_MONTHS:
            problems.append(f"months is {self.months}: at least {MIN_MONTHS} are needed")
        if self.start.day != 1:
            problems.append(f"start is {self.start}: give the first day of a month")
        if self.invoice_lines is not None and self.invoice_lines < 0:
            problems.append(f"invoice_lines is {self.invoice_lines}: give 0 or more")
        if problems:
            raise SampleError("cannot generate a sample: " + "; ".join(problems))

    @property
    def end(self) -> date:
        """First day after the span."""
        months = self.start.year * 12 + self.start.month - 1 + self.months
        return date(months // 12, months % 12 + 1, 1)

    @property
    def days(self) -> int:
        """Length of the span in days."""
        return (self.end - self.start).days

    @property
    def end_sql(self) -> str:
        """The end as an SQL timestamp literal."""
        return f"TIMESTAMP '{self.end}'"
