"""`make bench`: what a night costs, printed and written into docs/benchmarks.md.

Every size is measured as a user runs it: the command line in a fresh process and a fresh home,
wall time and peak memory taken by the operating system. Ratios compare with a baseline of the same
run, because seconds belong to one machine. Nothing here is a timed test.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from tests.bench.attribution import measure_attribution
from tests.bench.machine import describe_machine
from tests.bench.nights import NightTiming, measure_night
from tests.bench.report import write_report
from tests.bench.stripe_pull import measure_stripe_pull

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"


def main() -> None:
    """Measure, print, write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--lines", type=int, nargs="*", default=[100_000, 1_000_000], help="invoice lines per night"
    )
    parser.add_argument("--invoices", type=int, default=200_000, help="invoices of the Stripe pull")
    parser.add_argument(
        "--touches", type=int, default=10_000_000, help="touches of the attribution models"
    )
    parser.add_argument("--no-page", action="store_true", help="print only")
    arguments = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="partnerledger-bench-"))
    try:
        nights: list[NightTiming] = [measure_night(work, "sample", None)]
        nights.append(measure_night(work, "sample again", None))
        nights += [measure_night(work, f"{lines:,} lines", lines) for lines in arguments.lines]
        pull = measure_stripe_pull(work, arguments.invoices)
        attribution = measure_attribution(work, arguments.touches)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    text = write_report(describe_machine(), nights, pull, attribution)
    print(text)
    if not arguments.no_page:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
