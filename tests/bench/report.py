"""The benchmark page: tables from measurements, no judgement beyond the stated aims."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.nights import NightTiming
from tests.bench.stripe_pull import PullTiming

SQL_STEPS = ("prepare", "dbt_facts", "post", "dbt_ledger", "propose", "dbt_payouts", "publish")


def write_report(
    machine: Sequence[tuple[str, str]], nights: Sequence[NightTiming], pull: PullTiming
) -> str:
    """The whole page as Markdown."""
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "Written by `make bench`. Seconds belong to the machine below; ratios travel further.",
            "Aims: the sample night under 60 s; 1,000,000 invoice lines under 120 s and 4 GB.",
            "",
            "## Machine",
            "",
            "| what | value |",
            "|---|---|",
            *[f"| {what} | {value} |" for what, value in machine],
            "",
            "## Nights",
            "",
            "A fresh process and a fresh home each (`sample again`: the same home, nothing new).",
            "Scan is one DuckDB pass that reads every column of the dropped files: the least that",
            "any night must do. Start-up is imports, dbt's parse and Dagster.",
            "",
            "| night | invoice lines | entries posted | wall s | CPU s | MB | scan s | ratio |",
            "|---|---:|---:|---:|---:|---:|---:|---:|",
            *[
                f"| {night.name} | {night.invoice_lines:,} | {night.posted_entries:,} "
                f"| {night.wall_seconds:.1f} | {night.cpu_seconds:.1f} | {night.peak_mb:,} "
                f"| {night.scan_seconds:.2f} | {night.wall_seconds / night.scan_seconds:.0f}× |"
                for night in nights
            ],
            "",
            "## Where the time goes",
            "",
            "| night | start-up | ingest | SQL and posting | checks | start-up share |",
            "|---|---:|---:|---:|---:|---:|",
            *[_shares(night) for night in nights],
            "",
            "| night | " + " | ".join(SQL_STEPS) + " |",
            "|---|" + "---:|" * len(SQL_STEPS),
            *[
                f"| {night.name} | "
                + " | ".join(f"{night.seconds.get(step, 0):.1f}" for step in SQL_STEPS)
                + " |"
                for night in nights
            ],
            "",
            "## Stripe pull",
            "",
            "Invoices with one to three lines, 100 a page, from a loopback server; server and",
            "clients are processes of their own. Rows per CPU second of the client, without",
            "imports. The limit is GET plus JSON decoding and nothing else. Aims: pull and land at",
            "80 % of the limit or more, slicing into rows at least as fast, memory under 1 GB.",
            "",
            "| step | invoices | bytes each | rows per CPU s | of the limit | wall s | MB |",
            "|---|---:|---:|---:|---:|---:|---:|",
            *_pull_rows(pull),
            "",
            f"Killed with SIGKILL after {pull.pages_landed_before_kill:,} landed pages and",
            f"continued: {pull.pages_again:,} pages were asked for again, no row was lost or",
            f"repeated, and the rest took {pull.resumed['wall_seconds']:.1f} s where a pull in",
            f"one piece takes {pull.pull['wall_seconds']:.1f} s.",
            "",
        ]
    )


def _shares(night: NightTiming) -> str:
    sql = sum(night.seconds.get(step, 0) for step in SQL_STEPS)
    start_up = night.start_up_seconds
    return (
        f"| {night.name} | {start_up:.1f} | {night.seconds.get('ingest', 0):.1f} | {sql:.1f} "
        f"| {night.seconds.get('checks', 0):.1f} | {start_up / night.wall_seconds:.0%} |"
    )


def _pull_rows(pull: PullTiming) -> list[str]:
    limit = pull.rows / pull.limit["cpu_seconds"]
    rows_wall = pull.pull["rows_wall_seconds"]
    steps = (
        ("limit", pull.limit["cpu_seconds"], pull.limit["wall_seconds"], pull.limit["peak_mb"]),
        (
            "pull and land",
            pull.land_cpu_seconds,
            pull.pull["wall_seconds"] - rows_wall,
            pull.pull["peak_mb"],
        ),
        ("slice into rows", pull.pull["rows_cpu_seconds"], rows_wall, pull.pull["peak_mb"]),
    )
    return [
        f"| {name} | {pull.rows:,} | {pull.bytes_per_row:,} | {pull.rows / cpu:,.0f} "
        f"| {pull.rows / cpu / limit:.0%} | {wall:.1f} | {peak:,} |"
        for name, cpu, wall, peak in steps
    ]
