"""One asset per stream of the workspace's sources: what came in, how fresh it is, what it cost.

A stream that fails fails its own step. Only what depends on it is left out: the streams that need
it, and the raw tables where the money reads it. What does not belong here: pulling, and which
stream the money depends on (`orchestration.landing`, `orchestration.streams`).
"""

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

import dagster as dg

from orchestration import landing
from orchestration.defs.resources import NightResource
from orchestration.defs.translator import DEFAULT_OWNER
from orchestration.night import Night
from orchestration.streams import StreamKey

if TYPE_CHECKING:
    from ingest.report import StreamReport
    from ingest.run import DeclaredStream

PREFIX = "landing"
MAXIMUM_RETRIES = 1
PRIORITY_TAG = "dagster/priority"


def landing_key(source: str, stream: str) -> dg.AssetKey:
    """Key of a stream's asset."""
    return dg.AssetKey([PREFIX, source, stream])


def is_landing_step(step_key: str) -> bool:
    """Whether a step of a run pulls streams."""
    return step_key.startswith(f"{PREFIX}__")


def landing_assets(
    declared: Sequence["DeclaredStream"], blocking: Collection[StreamKey]
) -> list[dg.AssetsDefinition]:
    """One asset per stream; a folder of files is read in one step that makes all of its assets.

    declared: in the order of pulling. blocking: streams that the money depends on.
    """
    assets = []
    # The raw tables do not wait for streams that no money depends on: priority brings those first,
    # another try of theirs included.
    left = len(declared)
    for source, streams in groupby(declared, key=lambda each: each.source):
        specs = [(each, _spec(each, (each.source, each.stream) in blocking)) for each in streams]
        if specs[0][0].kind == "files":
            assets.append(_files_asset(source, [spec for _, spec in specs], blocking, left))
        else:
            assets += [
                _stream_asset(each, spec, left - done) for done, (each, spec) in enumerate(specs)
            ]
        left -= len(specs)
    return assets


def _spec(stream: "DeclaredStream", is_blocking: bool) -> dg.AssetSpec:
    hours = stream.freshness_hours
    effect = (
        "A failure stops posting: the money depends on it."
        if is_blocking
        else "No money depends on it: when it fails, the night goes on with what was landed before."
    )
    relations = ", ".join(f"raw.{name}" for name in stream.relations)
    return dg.AssetSpec(
        landing_key(stream.source, stream.stream),
        deps=[landing_key(stream.source, needed) for needed in stream.needs],
        group_name="ingest",
        owners=[DEFAULT_OWNER],
        description=f"Immutable landing of `{stream.stream}` of the {stream.kind} source "
        f"`{stream.source}`, read by {relations}. {effect}",
        kinds={"python"},
        metadata={"fills": relations, "is_blocking": is_blocking},
        freshness_policy=(
            dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=hours)) if hours else None
        ),
        # One of a file's entities may fail without the step.
        skippable=stream.kind == "files" and not is_blocking,
    )


def _stream_asset(
    stream: "DeclaredStream", spec: dg.AssetSpec, priority: int
) -> dg.AssetsDefinition:
    @dg.multi_asset(
        specs=[spec],
        name=f"{PREFIX}__{stream.source}__{stream.stream}",
        op_tags={PRIORITY_TAG: str(priority)},
    )
    def land(context: dg.AssetExecutionContext, night: NightResource) -> dg.MaterializeResult:
        (report,) = _pull(context, night.current, stream.source, stream.stream)
        if report.status == "failed":
            _retry(context, night.current, [report])
            raise _failure([report])
        return _materialised(night.current, spec.key, report)

    return land


def _files_asset(
    source: str, specs: Sequence[dg.AssetSpec], blocking: Collection[StreamKey], priority: int
) -> dg.AssetsDefinition:
    side = {spec.key.path[-1] for spec in specs} - {
        stream for of, stream in blocking if of == source
    }

    @dg.multi_asset(specs=specs, name=f"{PREFIX}__{source}", op_tags={PRIORITY_TAG: str(priority)})
    def land(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[Any]:
        reports = {each.stream: each for each in _pull(context, night.current, source, None)}
        failed = [each for each in reports.values() if each.status == "failed"]
        # What is in no entity's file could be anything: it counts as what the money depends on.
        stopping = [each for each in failed if each.stream not in side]
        if stopping:
            _retry(context, night.current, failed)
        unread = any(each.stream == landing.WHOLE_SOURCE for each in failed)
        for spec in specs:
            report = reports.get(spec.key.path[-1])
            if report is not None and report.status == "failed":
                yield dg.AssetObservation(spec.key, metadata=_failure_metadata(report))
            elif not unread:
                yield _materialised(night.current, spec.key, report)
        if stopping:
            raise _failure(stopping)

    return land


def _pull(
    context: dg.AssetExecutionContext, night: Night, source: str, stream: str | None
) -> list["StreamReport"]:
    if context.retry_number:
        # Waiting is done here: while Dagster waits, it would load the raw tables without this.
        night.landing.pause(landing.RETRY_SECONDS)
    return night.ingest_stream(source, stream)


def _retry(
    context: dg.AssetExecutionContext, night: Night, failed: Sequence["StreamReport"]
) -> None:
    """Raises: RetryRequested when another try can help."""
    if context.retry_number < MAXIMUM_RETRIES and night.landing.is_worth_retrying(failed):
        raise dg.RetryRequested(max_retries=MAXIMUM_RETRIES)


def _failure(failed: Sequence["StreamReport"]) -> dg.Failure:
    return dg.Failure(
        "; ".join(f"{each.source}/{each.stream}: {each.message}" for each in failed),
        metadata=_failure_metadata(failed[0]),
        allow_retries=False,
    )


def _failure_metadata(report: "StreamReport") -> dict[str, Any]:
    return {
        "status": report.status,
        "message": report.message,
        "what_to_do": report.what_to_do,
        "is_transient": report.is_transient,
        "last_arrival": _or_none(report.last_arrival),
        "requests": report.requests,
        "retries": report.retries,
    }


def _materialised(
    night: Night, key: dg.AssetKey, report: "StreamReport | None"
) -> dg.MaterializeResult:
    """A stream that was read; no report: a folder without a file of this entity."""
    _, source, stream = key.path
    changed_at = night.landing.changed_at(source, stream)
    lag = night.clock() - changed_at if changed_at else None
    metadata: dict[str, Any] = {
        "dagster/row_count": report.rows_landed if report else 0,
        "status": report.status if report else "unchanged",
        # Since when the source has had nothing new; 0 when it had something just now.
        "lag_hours": round(max(lag.total_seconds(), 0) / 3600, 2) if lag is not None else "none",
    }
    if report is not None:
        metadata |= {
            "rows_rejected": report.rows_rejected,
            "last_arrival": _or_none(report.last_arrival),
            "mode": report.mode or "none",
            "cursor": dg.MetadataValue.json(json.loads(report.cursor or "{}")),
            "pages": report.pages,
            "requests": report.requests,
            "retries": report.retries,
            "message": report.message,
        }
    return dg.MaterializeResult(asset_key=key, metadata=metadata)


def _or_none(value: int | None) -> int | str:
    return "none" if value is None else value
