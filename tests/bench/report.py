"""The benchmark page: tables from measurements, no judgement beyond the stated aims."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from tests.bench.attribution import AttributionTiming
from tests.bench.commission import SLOWEST, CommissionTiming, NightCost
from tests.bench.nights import NightTiming
from tests.bench.payouts import PayoutsTiming
from tests.bench.stripe_pull import PullTiming
from tests.bench.web import WARM_TIMES, WebTiming

SQL_STEPS = ("prepare", "dbt_facts", "post", "dbt_ledger", "propose", "dbt_payouts", "publish")


def write_report(
    machine: Sequence[tuple[str, str]],
    nights: Sequence[NightTiming],
    pull: PullTiming,
    attribution: AttributionTiming,
    commission: CommissionTiming,
    payouts: PayoutsTiming,
    web: Sequence[WebTiming],
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
            *commission_section(machine, commission),
            *payouts_section(machine, payouts),
            *web_section(machine, web),
        ]
    )


def replace_section(page: str, section: Sequence[str]) -> str:
    """The page with the section of the same heading replaced; added at the end where it is new."""
    lines = page.rstrip("\n").split("\n")
    heading = section[0]
    begins = lines.index(heading) if heading in lines else len(lines)
    rest = lines[begins + 1 :]
    ends = next((at for at, line in enumerate(rest) if line.startswith("## ")), len(rest))
    before = lines[:begins] if begins < len(lines) else [*lines, ""]
    return "\n".join([*before, *section, *rest[ends:]])


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


def commission_section(machine: Sequence[tuple[str, str]], timing: CommissionTiming) -> list[str]:
    """The section of the commission engine, as lines of Markdown."""
    rows, again = timing.first_rows, timing.second_rows
    changed = sum(again.values())
    nights = (("full night", timing.full), ("following night", timing.following))
    sizes = ", ".join(f"{name} {size:,}" for name, size in timing.sizes_mb.items())
    about = ", ".join(f"{what} {value}" for what, value in machine)
    return [
        "## Commission",
        "",
        *_paragraph(
            f"Scale {timing.scale:g}: {rows['invoice_lines']:,} lines of {rows['invoices']:,}",
            f"invoices over 36 months, {rows['touchpoints']:,} touches,",
            f"{rows['product_events']:,} leads, {rows['deals']:,} deals, {rows['partners']:,}",
            f"partners, {rows['refunds']:,} refunds, {rows['payments']:,} payments in parts, three",
            "currencies. Three plans: terms pinned and current, tiers (marginal by revenue, whole",
            "by customers), caps per invoice, customer and partner-month, event bounties, churn,",
            "refunds. The full night computes and posts everything from what is landed; the",
            f"following one has {changed:,} new or changed rows of ten days,",
            f"{changed / sum(rows.values()):.1%} of all. Landing the files is measured on its own.",
        ),
        *_paragraph(
            "Beside them, in the same run, `tests/bench/commission_by_hand.sql` over the same",
            "Parquet: last touch in the window, one rate, twelve months, refunds in proportion,",
            "conversion, totals per partner; no versions, tiers, caps, events, explanations,",
            "checks or journal. On plain terms it agrees with a night to the cent",
            f"(`tests/sql/test_commission_bench.py`). {timing.threads} threads and a memory limit",
            f"of {timing.memory_limit} for it and the nights; memory is that of the whole process",
            f"tree. Load of one minute at the end: {timing.load:.1f}.",
        ),
        *_paragraph(f"Machine: {about}."),
        "| step | CPU s | CPU ratio | wall s | wall ratio | MB |",
        "|---|---:|---:|---:|---:|---:|",
        *[
            f"| {name} | {usage.cpu_seconds:.1f} "
            f"| {usage.cpu_seconds / timing.by_hand.cpu_seconds:.1f}× | {usage.wall_seconds:.1f} "
            f"| {usage.wall_seconds / timing.by_hand.wall_seconds:.1f}× | {usage.peak_mb:,} |"
            for name, usage in (
                ("core sums, by hand", timing.by_hand),
                ("full night", timing.full.usage),
                ("following night", timing.following.usage),
                ("landing, before the full night", timing.landing),
                ("landing, before the following night", timing.next_landing),
            )
        ],
        "",
        "| night | entries posted | start-up | " + " | ".join((*SQL_STEPS, "checks")) + " |",
        "|---|" + "---:|" * (len(SQL_STEPS) + 3),
        *[_steps(name, night) for name, night in nights],
        "",
        *_paragraph(f"Sizes in MB after the following night: {sizes}."),
        *_paragraph(
            f"The {SLOWEST} slowest models of the full night, in seconds of wall time, two at a",
            f"time; all {len(timing.full.models)} together: {_sum(timing.full):.0f} s, in the",
            f"following night {_sum(timing.following):.0f} s.",
        ),
        "| model | full night | following night |",
        "|---|---:|---:|",
        *[
            f"| {name} | {seconds:.1f} | {dict(timing.following.models).get(name, 0):.1f} |"
            for name, seconds in timing.full.models[:SLOWEST]
        ],
        "",
    ]


def payouts_section(machine: Sequence[tuple[str, str]], timing: PayoutsTiming) -> list[str]:
    """The section of a year of payout batches, as lines of Markdown."""
    about = ", ".join(f"{what} {value}" for what, value in machine)
    entries = timing.partners * timing.months * timing.entries
    return [
        "## Payouts",
        "",
        *_paragraph(
            f"{timing.partners:,} partners, {timing.months} months with {timing.entries:,} entries",
            f"for each: {entries:,} entries, {timing.payouts:,} payouts in {2 * timing.months}",
            "batches, half by SEPA and half by CSV; in each batch one payout comes back. Control",
            "database SQLite with all syncs, warehouse in memory, one process with what it takes",
            f"to begin: {timing.wall_seconds:.0f} s, {timing.cpu_seconds:.0f} CPU s,",
            f"{timing.peak_mb:,} MB at the most. {timing.events:,} events at the end. Load of one",
            f"minute at the end: {timing.load:.1f}.",
        ),
        *_paragraph(f"Machine: {about}."),
        "| step | wall s, all months | CPU s, all months | wall s, the last time |",
        "|---|---:|---:|---:|",
        *[
            f"| {name} | {cost.wall_seconds:.2f} | {cost.cpu_seconds:.2f} "
            f"| {cost.last_wall_seconds:.2f} |"
            for name, cost in timing.steps.items()
        ],
        "",
        *_paragraph(
            "Approvals are those of both batches of a month, by two people and a third where the",
            "total asks for it; verify runs once, over everything.",
        ),
    ]


def web_section(machine: Sequence[tuple[str, str]], timings: Sequence[WebTiming]) -> list[str]:
    """The section of the web app's pages, as lines of Markdown."""
    about = ", ".join(f"{what} {value}" for what, value in machine)
    lines = [
        "## Web app",
        "",
        *_paragraph(
            "Pages over HTTP from `partnerledger serve`, asked for by one client: the first time",
            f"after the start, and the median of {WARM_TIMES} more. Bytes are those of the page,",
            "as it is and packed. The large snapshot holds the sample's tables many times over,",
            "its leads too. Aim: the first page warm under 300 ms on 2 cores with 500 partners and",
            "5,000,000 commission lines.",
        ),
        *_paragraph(f"Machine: {about}."),
    ]
    for timing in timings:
        lines += [
            *_paragraph(
                f"{timing.name.capitalize()}: {timing.partners:,} partners, {timing.lines:,}",
                f"commission lines, snapshot of {timing.snapshot_mb:,} MB. The app answered after",
                f"{timing.start_seconds:.1f} s and took {timing.peak_mb:,} MB at the most. Load of",
                f"one minute at the end: {timing.load:.1f}.",
            ),
            "| page | first, ms | warm, ms | kB | kB packed |",
            "|---|---:|---:|---:|---:|",
            *[
                f"| `{page.path}` | {page.cold_seconds * 1000:,.0f} "
                f"| {page.warm_seconds * 1000:,.0f} | {page.page_bytes / 1000:,.0f} "
                f"| {page.packed_bytes / 1000:,.0f} |"
                for page in timing.pages
            ],
            "",
        ]
    return lines


def _paragraph(*parts: str) -> list[str]:
    return [*textwrap.wrap(" ".join(parts), 100), ""]


def _sum(night: NightCost) -> float:
    return sum(seconds for _, seconds in night.models)


def _steps(name: str, night: NightCost) -> str:
    known = sum(seconds for step, seconds in night.seconds.items() if step != "start_up")
    steps = " | ".join(f"{night.seconds.get(step, 0):.1f}" for step in (*SQL_STEPS, "checks"))
    start_up = night.usage.wall_seconds - known
    return f"| {name} | {night.posted_entries:,} | {start_up:.1f} | {steps} |"


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
