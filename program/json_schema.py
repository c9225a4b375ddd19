"""JSON Schema of both files, generated from the models, for editors that complete and check YAML.

Does not belong here: rules across settings; those are known to `lint` only.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from program.schema import Program, Sources

PROGRAM_SCHEMA_FILE = "program.schema.json"
SOURCES_SCHEMA_FILE = "sources.schema.json"


def json_schemas() -> dict[str, dict[str, Any]]:
    """Schema per file name: `program.schema.json` and `sources.schema.json`."""
    return {
        PROGRAM_SCHEMA_FILE: Program.model_json_schema(by_alias=True),
        SOURCES_SCHEMA_FILE: Sources.model_json_schema(by_alias=True),
    }


def render(schema: dict[str, Any]) -> str:
    """The text of a schema file, the same bytes every time."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write_json_schemas(directory: Path) -> list[Path]:
    """Write both schema files, replacing older ones, and return their paths."""
    written = []
    for name, schema in json_schemas().items():
        path = directory / name
        path.write_text(render(schema), encoding="utf-8")
        written.append(path)
    return written
