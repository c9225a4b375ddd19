"""The bundled sample, odd cases included, says what the oracle says."""

from datetime import date
from pathlib import Path

import pytest

from ingest.entities import ENTITIES
from tests.oracle import compute
from tests.properties.comparison import assert_equals_oracle
from tests.workspaces import post_night, read_program

pytestmark = pytest.mark.sql

PROGRAM = Path(__file__).resolve().parent.parent.parent / "program"
AS_OF = date(2026, 2, 28)


def test_bundled_sample_equals_oracle(tmp_path) -> None:
    night = post_night(PROGRAM, tmp_path / "var", AS_OF)
    facts = {name: _landed(night, name) for name in ENTITIES}
    program = read_program((PROGRAM / "program.yml").read_text(encoding="utf-8"))
    lines = assert_equals_oracle(night, compute(facts, program, AS_OF))
    assert lines > 900


def _landed(night, entity: str) -> list[dict[str, str]]:
    """Accepted rows in arrival order, as the oracle takes them."""
    columns = ENTITIES[entity].column_names
    names = ", ".join(f'"{column}"' for column in columns)
    rows = night.rows(f"SELECT {names} FROM raw.files__{entity} ORDER BY _arrival, _row")
    return [
        {name: text for name, text in zip(columns, row, strict=True) if text is not None}
        for row in rows
    ]
