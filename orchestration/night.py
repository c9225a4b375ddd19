"""One night, step by step: the sequence that Dagster's assets and the command line share.

Each step is a method of `Night`; a step that fails leaves everything recorded so far untouched
and the next night simply starts over: landing keeps what it has, the working file is rebuilt, a
journal file that was not registered does not exist. What does not belong here: rules (dbt and
payouts) and Dagster (`defs/`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration import last_night, phases
from orchestration.clock import default_as_of
from orchestration.dbt_runner import NodeResult, raise_for_failures, shared_runner, warnings_of
from orchestration.errors import (
    ChecksFailedError,
    PublishError,
    UndeclaredSourceError,
    WarehouseError,
)
from orchestration.failures import clear_error
from orchestration.landing import NightLanding
from orchestration.lock import NightLock
from orchestration.portal_directory import take_over_addresses
from orchestration.publish import publish
from orchestration.result import (
    CheckResult,
    NightProgress,
    NightResult,
    ProgressCallback,
    no_progress,
)
from orchestration.warehouse import (
    create_raw_tables,
    create_working_file,
    forget_passed,
    mark_passed,
    open_working_file,
    passed_gates,
    prepared_for,
    require_free_space,
)

if TYPE_CHECKING:
    import duckdb

    from dashboards.snapshot import SnapshotPointer
    from ingest.report import IngestProgress, StreamReport
    from payouts.journal import PostResult
    from payouts.records import BatchSummary
    from payouts.store import Store
    from program.load import Workspace

Clock = Callable[[], datetime]
_LOG = logging.getLogger("partnerledger.night")
# A pay date is proposed on the first night past its cut-off, so years of silence are covered.
_CALENDAR_BEFORE = timedelta(days=3653)
_CALENDAR_AFTER = timedelta(days=400)
_PHASE_STEPS = {
    phases.FACTS: "dbt_facts",
    phases.LEDGER: "dbt_ledger",
    phases.PAYOUTS: "dbt_payouts",
}
_BOUNDARY_CHECKED = "boundary checks"
_MARTS_CHECKED = "mart checks"
_GATES = {*_PHASE_STEPS.values(), _BOUNDARY_CHECKED, _MARTS_CHECKED}


class Night:
    """A night that holds the lock of its home from `open` to `close`.

    Call the steps in order: ingest, prepare, check_boundary, build(facts), post, build(ledger),
    propose, build(payouts), check_marts, publish. A step may be called alone on a working file
    that an earlier night prepared.
    """

    def __init__(
        self, workspace: Workspace, home: Path, store: Store, lock: NightLock, clock: Clock
    ) -> None:
        self.workspace = workspace
        self.home = home
        self.store = store
        self.clock = clock
        self.on_progress: ProgressCallback = no_progress
        self.as_of = date.min
        self.run_id = ""
        self.seconds: dict[str, float] = {}
        self.failure: Exception | None = None
        self.landing = NightLanding(workspace, home, clock)
        self.posted: PostResult | None = None
        self.batches: list[BatchSummary] = []
        self.stale_batches: list[tuple[str, str]] = []
        self.checks: list[CheckResult] = []
        self.pointer: SnapshotPointer | None = None
        self._lock = lock
        self._as_of_given = False
        self._whole_phases: dict[str, bool] = {}

    @classmethod
    def open(
        cls,
        workspace_path: Path,
        home: Path,
        as_of: date | None,
        clock: Clock,
        on_progress: ProgressCallback = no_progress,
    ) -> Night:
        """Read the terms, take the lock, open the control database.

        as_of: None means yesterday in `program.timezone`.
        Raises: TermsError, NightBusyError, DiskFullError, the errors of payouts.store.
        """
        from payouts.segments import require_known_journal
        from payouts.store import open_store
        from program.load import load_workspace

        workspace = load_workspace(workspace_path)
        require_free_space(home)
        lock = NightLock(home)
        lock.acquire(clock())
        try:
            store = open_store(home)
            try:
                require_known_journal(store, home)
                night = cls(workspace, home, store, lock, clock)
                night.on_progress = on_progress
                night._as_of_given = as_of is not None
                night.as_of = as_of or default_as_of(workspace.program.program.timezone, clock())
                night.run_id = f"{night.as_of.isoformat()}-{_next_sequence(store):04d}"
            except BaseException:
                store.close()
                raise
        except BaseException:
            lock.release()
            raise
        return night

    def close(self) -> None:
        """Close the control database and give the locks back. Safe to call twice."""
        self.landing.close()
        self.store.close()
        self._lock.release()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step, report it, and turn what goes wrong in it into one clear error."""
        self.on_progress(NightProgress(name, "started"))
        started = time.monotonic()
        try:
            with self.remembering(name):
                yield
        finally:
            elapsed = time.monotonic() - started
            self.seconds[name] = self.seconds.get(name, 0.0) + elapsed
        self.on_progress(NightProgress(name, "done"))

    @contextmanager
    def remembering(self, name: str) -> Iterator[None]:
        """Keep and log the first failure: Dagster would hand on its text alone."""
        try:
            yield
        except Exception as error:
            failure = clear_error(error, name, self.home)
            self.failure = self.failure or failure
            self._say(last_night.FAILED, f"{name}: {failure}")
            _LOG.error("step %s failed: %s", name, failure, exc_info=error)
            if failure is error:
                raise
            raise failure from error

    def refuse_going_back(self) -> None:
        """J7. Raises: NightOrderError when a later night has been posted."""
        from payouts.journal import check_night_order

        with self.store.read() as connection:
            check_night_order(connection, self.as_of)

    @property
    def streams(self) -> list[StreamReport]:
        """How each stream of this night went, in the order of pulling."""
        return self.landing.reports

    def ingest(self) -> list[StreamReport]:
        """Fetch and land all sources, one after the other, without another try.

        What one stream landed stays even if another fails. Raises: StreamsFailedError when the
        money needs a stream that failed.
        """
        for source in self.workspace.sources.sources:
            self.ingest_stream(source)
        with self.remembering("ingest"):
            self.landing.require_streams()
        return self.streams

    def ingest_stream(self, source: str, stream: str | None = None) -> list[StreamReport]:
        """Fetch and land one stream of a source, or all of it when `stream` is None.

        A stream that fails does not raise: its report says why and what to do.
        Raises: NightOrderError when a later night has been posted.
        """
        with self.step("ingest"):
            self.refuse_going_back()
            return self.landing.pull(source, stream, self._on_ingest_progress)

    def prepare(self) -> None:
        """Build the working file from scratch and load all raw tables."""
        from ingest.raw import load_raw
        from orchestration.lead_joins import load_published_leads
        from payouts.control import load_control_tables
        from program.tables import terms_tables

        self._say(last_night.STARTED)
        with self.step("prepare"):
            self.refuse_going_back()
            self.landing.require_streams()
            self.landing.close()
            create_working_file(self.home)
            with open_working_file(self.home) as connection:
                tables = terms_tables(self.workspace, self.as_of, self.run_id)
                create_raw_tables(connection, tables)
                load_raw(connection, self.workspace, self.home)
                self._require_declared_sources(connection)
                load_control_tables(self.store, self.home, connection)
                load_published_leads(self.home, connection)

    def _require_declared_sources(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Raises: UndeclaredSourceError for landed records of a source that sources.yml dropped.

        Without its facts everything they earned would be taken back (decision 0012).
        """
        row = connection.execute(
            "SELECT message, what_to_do FROM raw.ingest__streams "
            "WHERE status = 'failed' AND NOT list_contains($1, source) ORDER BY source",
            [list(self.workspace.sources.sources)],
        ).fetchone()
        if row is not None:
            raise UndeclaredSourceError(
                f"{row[0]}; nothing was posted, the last snapshot stays published",
                row[1],
                step="prepare",
            )

    def build(self, phase: str, selection: Sequence[str] | None = None) -> list[NodeResult]:
        """Build one dbt phase, tests included. Failures are in the results: see `require_built`.

        selection: dbt criteria instead of the whole phase.
        """
        step = _PHASE_STEPS[phase]
        with self.step(step):
            with open_working_file(self.home) as connection:
                self.adopt_prepared(connection)
                forget_passed(connection, [step, _MARTS_CHECKED])
            self._whole_phases[phase] = selection is None
            runner = shared_runner()
            manifest = runner.manifest().writable_manifest().to_dict(omit_none=False)
            results = runner.build(
                selection or phases.selection_of(manifest, phase),
                self.home,
                lambda name, done, total: self.on_progress(
                    NightProgress(step, "advanced", done, total, name)
                ),
                exclusion=phases.exclusion_of(phase),
            )
            self.checks.extend(warnings_of(results))
        return results

    def require_built(self, phase: str, results: Sequence[NodeResult]) -> None:
        """Raises: DbtError when a model or an error-severity test of the phase failed."""
        step = _PHASE_STEPS[phase]
        with self.remembering(step):
            raise_for_failures(results, step)
            if self._whole_phases.get(phase):
                with open_working_file(self.home) as connection:
                    mark_passed(connection, step)

    def post(self) -> PostResult:
        """Append what the journal lacks, as one segment; reload what dbt reads of it.

        Risk signals open their holds here: what was just posted is not proposed while held.
        """
        from orchestration.lead_joins import record_joins
        from orchestration.risk_holds import open_risk_holds
        from payouts.control import load_control_tables
        from payouts.journal import post_differences
        from program.fingerprint import plan_version_hashes
        from program.instants import day_end_utc

        with self.step("post"), open_working_file(self.home) as connection:
            self.adopt_prepared(connection)
            self.posted = post_differences(
                self.store,
                self.home,
                connection,
                as_of=self.as_of,
                recorded_at=day_end_utc(self.as_of, self.workspace.program.program.timezone),
                run_id=self.run_id,
                registered_at=self.clock(),
                term_hashes=plan_version_hashes(self.workspace),
                schedule=self.workspace.program.payouts.schedule.model_dump(mode="json"),
            )
            record_joins(self.store, connection, self.clock())
            self.stale_batches = open_risk_holds(self.store, self.home, connection, self.clock())
            load_control_tables(self.store, self.home, connection)
        return self.posted

    def propose(self) -> list[BatchSummary]:
        """Make changed batches stale, propose those that are due (P4), reload what dbt reads."""
        from payouts.batches import propose
        from payouts.control import load_control_tables
        from payouts.freshness import refresh_batches
        from payouts.journal import NIGHT_ACTOR
        from payouts.terms import approval_rules, payout_rules
        from program.calendar import pay_calendar, rail_calendars

        with self.step("propose"), open_working_file(self.home) as connection:
            self.adopt_prepared(connection)
            span = (
                self.workspace.program.payouts,
                self.as_of - _CALENDAR_BEFORE,
                self.as_of + _CALENDAR_AFTER,
            )
            rules = payout_rules(self.workspace)
            self.stale_batches += refresh_batches(
                self.store,
                self.home,
                connection,
                as_of=self.as_of,
                rules=rules,
                approval_rules=approval_rules(self.workspace),
                recorded_at=self.clock(),
            )
            self.batches = propose(
                self.store,
                self.home,
                connection,
                as_of=self.as_of,
                calendar=pay_calendar(*span),
                rail_calendars=rail_calendars(*span),
                rules=rules,
                actor=NIGHT_ACTOR,
                proposed_at=self.clock(),
            )
            load_control_tables(self.store, self.home, connection)
        return self.batches

    def check_boundary(self) -> list[CheckResult]:
        """Great Expectations on what came in, before anything is computed or posted."""
        from orchestration.checks import boundary_results

        return self._check(boundary_results, _BOUNDARY_CHECKED)

    def check_marts(self) -> list[CheckResult]:
        """Great Expectations on metric frames of the marts, and reconciliation, before publishing.

        Failures are in the results: see `require_checks`.
        """
        from orchestration.checks import mart_results

        return self._check(mart_results, _MARTS_CHECKED)

    def require_checks(self, results: Sequence[CheckResult]) -> None:
        """Raises: ChecksFailedError when a blocking check failed."""
        blocking = [check for check in results if check.is_blocking and not check.is_passed]
        if not blocking:
            return
        with self.remembering("checks"):
            others = ", ".join(check.name for check in blocking[1:])
            more = f" Also failed: {others}." if others else ""
            raise ChecksFailedError(
                f"{blocking[0].describe()}{more} The last snapshot stays published.",
                step="checks",
            )

    def publish(self) -> SnapshotPointer:
        """Publish the snapshot of this night.

        Raises: PublishError when the working file has not passed every gate, also where somebody
        materialises the snapshot alone.
        """
        with self.step("publish"):
            with open_working_file(self.home) as connection:
                self.adopt_prepared(connection)
                missing = _GATES - passed_gates(connection)
                if missing:
                    raise PublishError(
                        f"The working file has not passed {', '.join(sorted(missing))}",
                        "Run the whole night; the last snapshot stays published.",
                    )
                connection.execute("CHECKPOINT")
            self.pointer = publish(self.home, self.run_id, self.as_of, self.clock())
            take_over_addresses(self.home, self.store, self.clock())
        self._say(last_night.SUCCEEDED)
        return self.pointer

    def _say(self, state: str, message: str = "") -> None:
        """Tell readers how this night goes."""
        failed = [check.describe() for check in self.checks if not check.is_passed]
        last_night.write_last_night(
            self.home, state, self.run_id, self.as_of, self.clock(), message, failed
        )

    def adopt_prepared(self, connection: object) -> None:
        """Take date and run id from the working file, for steps run apart from the whole night.

        Raises: WarehouseError when it was prepared for another date than the one asked for.
        """
        as_of, run_id = prepared_for(connection)
        if self._as_of_given and as_of != self.as_of:
            raise WarehouseError(
                f"The working file was prepared for {as_of}, not for {self.as_of}",
                "Run the whole night for the date you want.",
            )
        self.as_of, self.run_id = as_of, run_id

    def result(self) -> NightResult:
        """The whole night as one value; call it after `publish`."""
        if self.posted is None or self.pointer is None:
            raise WarehouseError("The night is not complete", "Run the whole night.")
        return NightResult(
            run_id=self.run_id,
            as_of=self.as_of,
            home=self.home,
            streams=tuple(self.streams),
            stale_streams=tuple(self.landing.failed()),
            posted_rows=self.posted.rows,
            posted_segment=self.posted.segment,
            posted_totals=tuple(self.posted.totals),
            batches=tuple(self.batches),
            stale_batches=tuple(self.stale_batches),
            checks_failed=tuple(check for check in self.checks if not check.is_passed),
            snapshot_path=self.home / "serving" / self.pointer.path,
            seconds=dict(self.seconds),
        )

    def _check(
        self, suite: Callable[[object, Path], list[CheckResult]], gate: str
    ) -> list[CheckResult]:
        with self.step("checks"):
            with open_working_file(self.home) as connection:
                self.adopt_prepared(connection)
                forget_passed(connection, [gate])
                results = suite(connection, self.home)
                if all(check.is_passed or not check.is_blocking for check in results):
                    mark_passed(connection, gate)
            self.checks.extend(results)
        return results

    def _on_ingest_progress(self, progress: IngestProgress) -> None:
        self.on_progress(
            NightProgress(
                "ingest",
                "advanced",
                progress.done,
                progress.total or 0,
                f"{progress.source}/{progress.stream}",
            )
        )


def run_night(
    workspace_path: Path,
    home: Path,
    as_of: date | None = None,
    on_progress: ProgressCallback = no_progress,
    clock: Clock | None = None,
) -> NightResult:
    """One whole night through Dagster's assets, in this process.

    workspace_path: directory of program.yml. as_of: None means yesterday in its time zone.
    Raises: OrchestrationError or the error of the room that failed, each one clear line; the
    traceback is in HOME/logs.
    """
    from orchestration.clock import utc_now
    from orchestration.in_process import execute_nightly

    started = time.monotonic()
    night = Night.open(workspace_path, home, as_of, clock or utc_now, on_progress)
    try:
        return execute_nightly(night, started)
    finally:
        night.close()


def _next_sequence(store: Store) -> int:
    from sqlalchemy import func, select

    from payouts.schema import nights

    with store.read() as connection:
        return connection.execute(select(func.count()).select_from(nights)).scalar_one() + 1
