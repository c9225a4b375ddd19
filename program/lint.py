"""Rules across settings (T3): duplicates, gaps, unreachable and contradictory terms.

Pure: a valid model in, findings out. Positions in paths are those of the model. The rules of plans
stand in `lint_plans` and `lint_rates`, those of payouts and approvals in `lint_payouts`; what is
only worth a look in `lint_warnings`. Does not belong here: checks of a single value
(`schema_base`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from program.lint_common import repeated_versions
from program.lint_payouts import lint_approvals, lint_payouts
from program.lint_plans import lint_assignments, lint_plans
from program.paths import Finding, SettingPath
from program.schema import Program
from program.schema_lead import TOUCH_TYPES, AttributionVersion
from program.schema_sources import FilesSource, Sources


def lint_program(program: Program, plan_ids: Collection[str]) -> Iterator[Finding]:
    """All findings about the terms.

    plan_ids: ids of all plans that the file names, also of those that could not be read.
    """
    yield from repeated_versions(("lead",), program.lead)
    yield from repeated_versions(("attribution",), program.attribution)
    for index, version in enumerate(program.attribution):
        yield from _attribution(("attribution", index), version)
    yield from lint_plans(program)
    yield from lint_assignments(program, plan_ids)
    yield from lint_payouts(program.payouts)
    yield from lint_approvals(program.approvals, program.program.reporting_currency)
    if program.pilot.enabled and not program.pilot.partners:
        yield (
            ("pilot", "partners"),
            "is empty while the pilot is enabled, so that nobody would ever be paid",
            "name the pilot's partners, or set enabled: false",
        )


def lint_sources(sources: Sources) -> Iterator[Finding]:
    """Two connectors that would read the same folder would land the same money twice."""
    first_by_path: dict[str, str] = {}
    for name, source in sources.sources.items():
        if isinstance(source, FilesSource):
            first = first_by_path.setdefault(source.path.rstrip("/"), name)
            if first != name:
                yield (
                    ("sources", name, "path"),
                    f"is the folder of source {first} already",
                    "give each files source a folder of its own",
                )


def _attribution(path: SettingPath, version: AttributionVersion) -> Iterator[Finding]:
    missing = [name for name in TOUCH_TYPES if name not in version.priority]
    repeated = sorted({name for name in version.priority if version.priority.count(name) > 1})
    if repeated:
        yield (*path, "priority"), f"names {', '.join(repeated)} more than once", "keep one of each"
    if missing:
        yield (*path, "priority"), f"lacks {', '.join(missing)}", "give every touch type a place"
    models = version.compare_models
    repeated_models = sorted({name for name in models if models.count(name) > 1})
    if repeated_models:
        names = ", ".join(repeated_models)
        yield (*path, "compare_models"), f"names {names} more than once", "keep one of each"
    if version.position_based.first + version.position_based.last > 1:
        yield (*path, "position_based"), "first and last add up to more than 1", "lower one of them"
