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
from tests.bench.commission import measure_commission
from tests.bench.machine import describe_machine
from tests.bench.nights import NightTiming, measure_night
from tests.bench.payouts import measure_payouts
from tests.bench.report import (
    commission_section,
    payouts_section,
    replace_section,
    web_section,
    write_report,
)
from tests.bench.stripe_pull import measure_stripe_pull
from tests.bench.web import measure_web

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"


def main() -> None:
    """Measure, print, write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "part",
        nargs="?",
        choices=("all", "commission", "payouts", "web"),
        default="all",
        help="one section of the page; the others stay as they are",
    )
    parser.add_argument(
        "--lines", type=int, nargs="*", default=[100_000, 1_000_000], help="invoice lines per night"
    )
    parser.add_argument("--invoices", type=int, default=200_000, help="invoices of the Stripe pull")
    parser.add_argument(
        "--touches", type=int, default=10_000_000, help="touches of the attribution models"
    )
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="of the commission's 5,000,000 invoice lines, and of the payouts' 500 partners",
    )
    parser.add_argument("--no-page", action="store_true", help="print only")
    arguments = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="partnerledger-bench-"))
    try:
        if arguments.part in _SECTIONS:
            section = _SECTIONS[arguments.part](work, arguments)
            text = replace_section(PAGE.read_text(encoding="utf-8"), section)
            print("\n".join(section))
        else:
            text = _whole_page(work, arguments)
            print(text)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if not arguments.no_page:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")


def _commission(work: Path, arguments: argparse.Namespace) -> list[str]:
    machine = describe_machine()
    return commission_section(machine, measure_commission(work, arguments.scale))


def _payouts(work: Path, arguments: argparse.Namespace) -> list[str]:
    machine = describe_machine()
    return payouts_section(machine, measure_payouts(work, arguments.scale))


def _web(work: Path, arguments: argparse.Namespace) -> list[str]:
    machine = describe_machine()
    sizes = round(500 * arguments.scale), round(5_000_000 * arguments.scale)
    return web_section(machine, measure_web(work, *sizes))


_SECTIONS = {"commission": _commission, "payouts": _payouts, "web": _web}


def _whole_page(work: Path, arguments: argparse.Namespace) -> str:
    machine = describe_machine()
    nights: list[NightTiming] = [measure_night(work, "sample", None)]
    nights.append(measure_night(work, "sample again", None))
    nights += [measure_night(work, f"{lines:,} lines", lines) for lines in arguments.lines]
    return write_report(
        machine,
        nights,
        measure_stripe_pull(work, arguments.invoices),
        measure_attribution(work, arguments.touches),
        measure_commission(work, arguments.scale),
        measure_payouts(work, arguments.scale),
        measure_web(work, round(500 * arguments.scale), round(5_000_000 * arguments.scale)),
    )


if __name__ == "__main__":
    main()
