"""What doctor says of terms: faults stop it, warnings are told with their line and do not."""

from __future__ import annotations

from pathlib import Path

from orchestration.doctor import _signing, _terms
from program import json_schema

PROGRAM = """\
program: {id: acme, name: Acme, legal_entity: Acme Inc, timezone: UTC, reporting_currency: USD}
plans:
  - id: standard
    versions:
      - effective_from: 2025-01-01
        components: [{id: r, kind: recurring, rate: 0.20}]
groups: {default: standard}
"""


def _write(folder: Path, program: str) -> Path:
    (folder / "program.yml").write_text(program, encoding="utf-8")
    (folder / "sources.yml").write_text("sources: {drop: {kind: files}}\n", encoding="utf-8")
    return folder


def test_a_warning_is_told_with_line_and_what_to_do(tmp_path: Path) -> None:
    workspace, (terms, warning) = _terms(_write(tmp_path, PROGRAM))
    assert workspace is not None
    assert terms.status == "ok"
    assert (warning.status, warning.check) == ("warn", "terms")
    assert warning.detail == (
        "program.yml:5: plans[0].versions[0].hold: this version has no hold: 30 days after the "
        "payment count"
    )
    assert warning.what_to_do == "Write it, so that partners and readers see it."


def test_a_fault_is_told_instead_of_warnings(tmp_path: Path) -> None:
    workspace, found = _terms(_write(tmp_path, PROGRAM.replace("0.20", "20")))
    assert workspace is None
    assert [each.status for each in found] == ["failed"]


def test_the_sample_has_no_warning() -> None:
    _, found = _terms(Path(json_schema.__file__).parent)
    assert [each.status for each in found] == ["ok"]


def test_signed_approvals_need_the_file_of_signers(tmp_path: Path) -> None:
    asked = "approvals: {tiers: [{up_to: 9}, {min_identity: ssh_signed}]}\n"
    workspace, _ = _terms(_write(tmp_path, PROGRAM + asked))
    missing = [each.detail for each in _signing(workspace) if each.status == "failed"]
    assert "there is no allowed_signers beside program.yml: nobody can sign" in missing
    (tmp_path / "allowed_signers").touch()
    assert not any("allowed_signers" in each.detail for each in _signing(workspace))
    workspace, _ = _terms(_write(tmp_path, PROGRAM))
    assert list(_signing(workspace)) == []
