"""Loads a workspace: reads both files, gathers every problem, or returns the terms.

The only module of the room that opens `program.yml` and `sources.yml`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from program.errors import Problem, TermsError
from program.fingerprint import terms_hash
from program.lint import lint_program, lint_sources
from program.lint_warnings import program_warnings, source_warnings
from program.literal_secrets import literal_secrets, names_a_secret
from program.paths import Finding, format_path
from program.schema import Program, Sources
from program.validation import validate
from program.yaml_lines import Document, read_yaml

STAND_INS = {
    "program": {
        "id": "unread",
        "name": "unread",
        "legal_entity": "unread",
        "timezone": "UTC",
        "reporting_currency": "USD",
    },
    "plans": [{"id": "unread", "versions": [{"effective_from": "2000-01-01", "components": []}]}],
    "groups": {"default": "unread"},
}
"""Take the place of required settings that are faulty, for the checks of the others only."""

PROGRAM_FILE = "program.yml"
SOURCES_FILE = "sources.yml"


@dataclass(frozen=True)
class Workspace:
    """Terms and connectors of one programme.

    root: directory that relative paths of `sources.yml` start from. terms_hash: sha256 in hex over
    the meaning of both files, see `fingerprint.terms_hash`. warnings: what is valid and still may
    not be meant; no night stops for it.
    """

    root: Path
    program: Program
    sources: Sources
    program_path: Path
    sources_path: Path
    terms_hash: str
    warnings: tuple[Problem, ...] = ()


def load_workspace(path: Path) -> Workspace:
    """Load and check the terms.

    path: the directory that holds program.yml and sources.yml, or the program file itself, in
    which case sources.yml is the one beside it.
    Raises: TermsError with all problems of both files; nothing is half loaded.
    """
    path = Path(path)
    program_path = path / PROGRAM_FILE if path.is_dir() or not path.suffix else path
    sources_path = program_path.parent / SOURCES_FILE
    program_document, sources_document = read_yaml(program_path), read_yaml(sources_path)
    program, program_problems = _load_program(program_document)
    sources, source_problems = _load_sources(sources_document)
    problems = [*program_problems, *source_problems]
    if problems or program is None or sources is None:
        raise TermsError(problems)
    return Workspace(
        root=program_path.parent.resolve(),
        program=program,
        sources=sources,
        program_path=program_path.resolve(),
        sources_path=sources_path.resolve(),
        terms_hash=terms_hash(program, sources),
        warnings=(
            *_located(program_document, program_warnings(program)),
            *_located(sources_document, source_warnings(program, sources)),
        ),
    )


def _located(document: Document, findings: Iterable[Finding]) -> list[Problem]:
    """Findings with their lines, in the order of the file."""
    problems = [
        Problem(document.file, document.line_of(path), format_path(path), message, hint)
        for path, message, hint in findings
    ]
    return sorted(problems, key=lambda problem: (problem.line, problem.setting, problem.message))


def _load_program(document: Document) -> tuple[Program | None, list[Problem]]:
    result = validate(document, Program, STAND_INS)
    if result.value is not None:
        result.add(lint_program(result.value, _plan_ids(document.value)))
    return result.value, document.problems


def _load_sources(document: Document) -> tuple[Sources | None, list[Problem]]:
    secrets = list(literal_secrets(document.value))
    hidden = {format_path(path) for path, _, _ in secrets}
    result = validate(document, Sources)
    # Whatever else is wrong there, the secret is what has to be said, and its value must not be.
    document.problems = [
        problem
        for problem in document.problems
        if problem.setting not in hidden and not names_a_secret(problem.setting)
    ]
    for path, message, hint in secrets:
        line = document.line_of(path)
        shown = path[:-1] if names_a_secret(format_path(path)) else path
        document.problems.append(Problem(document.file, line, format_path(shown), message, hint))
    if result.value is not None and not secrets:
        result.add(lint_sources(result.value))
    return result.value, document.problems


def _plan_ids(value: Any) -> set[str]:
    """Ids of all plans in the file, also of those that could not be validated."""
    plans = value.get("plans") if isinstance(value, dict) else None
    return {
        plan["id"]
        for plan in (plans if isinstance(plans, list) else [])
        if isinstance(plan, dict) and isinstance(plan.get("id"), str)
    }
