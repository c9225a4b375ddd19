"""Dagster loads this module: `dagster dev` at the repository root.

The programme comes from PARTNERLEDGER_PROGRAM (default: this repository's program/), its state
from PARTNERLEDGER_HOME (default: var/). Importing it parses the dbt project when that changed.
"""

import os
from pathlib import Path

from orchestration.defs.build import build_definitions, current_manifest

REPOSITORY = Path(__file__).resolve().parent.parent

defs = build_definitions(
    workspace_path=Path(os.environ.get("PARTNERLEDGER_PROGRAM") or REPOSITORY / "program"),
    home=Path(os.environ.get("PARTNERLEDGER_HOME") or REPOSITORY / "var"),
    manifest=current_manifest(),
)
