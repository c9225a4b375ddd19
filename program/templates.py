"""Writes a new workspace: the files that `partnerledger init DIR` gives to start from.

The repository's own `program.yml` and `sources.yml` are the templates, so that there is one
example only and it is the one that the demo runs. Does not belong here: what the files mean.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from program.errors import WorkspaceExistsError
from program.json_schema import PROGRAM_SCHEMA_FILE, SOURCES_SCHEMA_FILE, json_schemas, render

TERMS_FILES = ("program.yml", "sources.yml")
DROP_FOLDER = "drop"


def write_workspace(directory: Path) -> list[Path]:
    """Write terms, connectors, their JSON Schemas and an empty drop folder.

    directory: made when it does not exist. Returns the written files.
    Raises: WorkspaceExistsError, before anything is written, if one of the files is there.
    """
    directory = Path(directory)
    schemas = json_schemas()
    texts = {
        name: files("program").joinpath(name).read_text(encoding="utf-8") for name in TERMS_FILES
    }
    texts |= {name: render(schemas[name]) for name in (PROGRAM_SCHEMA_FILE, SOURCES_SCHEMA_FILE)}
    if directory.exists() and not directory.is_dir():
        raise WorkspaceExistsError(f"{directory} is a file; name a directory for the workspace")
    present = [name for name in texts if (directory / name).exists()]
    if present:
        raise WorkspaceExistsError(
            f"{directory} already holds {', '.join(present)}; nothing was written: "
            "name another directory, or move these files away"
        )
    (directory / DROP_FOLDER).mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in texts.items():
        path = directory / name
        # "x" refuses a file that appeared since the check above.
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
        written.append(path)
    return written
