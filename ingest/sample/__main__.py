"""Command line of the generator: `python -m ingest.sample --out DIR --leads N --format parquet`.

Only arguments and printing belong here.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from ingest.sample import bundled
from ingest.sample.errors import SampleError
from ingest.sample.generate import SampleSummary, generate


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m ingest.sample", description="Write a fictional programme as drop files."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the drop files")
    parser.add_argument(
        "--bundled",
        action="store_true",
        help="exactly the sample that comes with the project; other sizes are ignored",
    )
    parser.add_argument(
        "--seed", type=int, default=bundled.SEED, help="same seed and sizes: same bytes"
    )
    parser.add_argument("--partners", type=int, default=bundled.PARTNERS)
    parser.add_argument("--leads", type=int, default=bundled.LEADS)
    parser.add_argument("--months", type=int, default=bundled.MONTHS)
    parser.add_argument("--start", type=date.fromisoformat, default=bundled.START)
    parser.add_argument(
        "--invoice-lines", type=int, default=None, help="aim; default: what the leads give"
    )
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv")
    return parser.parse_args(argv)


def _generate(arguments: argparse.Namespace) -> SampleSummary:
    """Run the generator with parsed arguments."""
    if arguments.bundled:
        return bundled.write_bundled(arguments.out)
    return generate(
        arguments.out,
        seed=arguments.seed,
        partners=arguments.partners,
        leads=arguments.leads,
        months=arguments.months,
        start=arguments.start,
        invoice_lines=arguments.invoice_lines,
        format=arguments.format,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Write the files and print rows per entity; 0 done, 1 refused."""
    try:
        summary = _generate(_arguments(argv))
    except SampleError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for entity, rows in summary.rows.items():
        sys.stdout.write(f"{entity:20} {rows:>12,}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
