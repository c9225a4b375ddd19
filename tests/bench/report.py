"""The benchmark page: tables from measurements, no judgement beyond the stated aims."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.attribution import AttributionTiming
from tests.bench.nights import NightTiming
from tests.bench.stripe_pull import PullTiming

SQL_STEPS = ("prepare", "dbt_facts", "post", "dbt_ledger", "propose", "dbt_payouts", "publish")


def write_report(
    machine: Sequence[tuple[str, str]],
    nights: Sequence[NightTiming],
    pull: PullTiming,
    attribution: AttributionTiming,
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
            *attribution_section(attribution),
        ]
    )


def attribution_section(timing: AttributionTiming) -> list[str]:
    """The section of all five models of attribution, as lines of Markdown."""
    wall, cpu = timing.baseline_wall_seconds, timing.baseline_cpu_seconds
    steps = (
        ("last touch, by hand", f"{cpu:.1f}", wall, timing.baseline_peak_mb),
        ("five models", "", timing.models_wall_seconds, timing.peak_mb),
        (
            "five models with dbt around them",
            f"{timing.build_cpu_seconds:.1f}",
            timing.build_wall_seconds,
            timing.peak_mb,
        ),
    )
    return [
        "## Attribution",
        "",
        f"{timing.touches:,} touches of {timing.leads:,} leads, 90 % links, window 90 of the",
        f"110 days of touches; {timing.credits:,} credits under last touch, first touch, linear,",
        "position-based and time decay. Beside it, in the same process and in turn, one query",
        "written by hand that only finds the last touch in the window: no types, no verdicts, no",
        f"reasons. {timing.threads} threads, memory limit {timing.memory_limit}; memory is the",
        "process's peak, Python and dbt included. Load of one minute during the measurement:",
        f"{timing.load:.1f}. Aims: at most 4× the time of the query, under 4 GB.",
        "",
        "| step | CPU s | CPU ratio | wall s | wall ratio | MB |",
        "|---|---:|---:|---:|---:|---:|",
        *[
            f"| {name} | {used} | {f'{float(used) / cpu:.1f}×' if used else ''} "
            f"| {seconds:.1f} | {seconds / wall:.1f}× | {peak:,} |"
            for name, used, seconds, peak in steps
        ],
        "",
        "The models judge every touch (type, verdict, grace hours, window), keep the order of",
        "those that compete and split each lead five times; the query does one of these steps.",
        "",
    ]


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
