"""The sizes of the sample programme that comes with the project, and how it is written again.

What the records look like does not belong here.
"""

from datetime import date
from pathlib import Path

from ingest.sample.generate import SampleSummary, generate

SEED = 7
PARTNERS = 24
LEADS = 360
MONTHS = 14
START = date(2025, 1, 1)
INVOICE_LINES = 1430


def write_bundled(directory: Path) -> SampleSummary:
    """Write the bundled sample (2025-01-01 to 2026-02-28) as CSV, always the same bytes."""
    return generate(
        directory,
        seed=SEED,
        partners=PARTNERS,
        leads=LEADS,
        months=MONTHS,
        start=START,
        invoice_lines=INVOICE_LINES,
        format="csv",
    )
