"""Where a process that lands or runs a night writes its log.

Does not belong here: Dagster's own log, and the tracebacks of commands (`cli`).
"""

from __future__ import annotations

import logging
from pathlib import Path

LOG_HANDLER = "partnerledger-night-log"
LOG_NAME = "night.log"
INFORMING = ("partnerledger", "ingest")
"""Loggers whose lines of level INFO are kept: steps, and the vendors' request ids, which their
support asks for. Of all others, warnings are."""


def log_to_files(home: Path) -> None:
    """Send every log line of this process to HOME/logs/night.log and none to the terminal.

    The root logger gets the file, so that no library finds it empty and writes to the terminal.
    Raises: OSError if the folder cannot be written.
    """
    folder = home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    root = logging.getLogger()
    for handler in [each for each in root.handlers if each.get_name() == LOG_HANDLER]:
        root.removeHandler(handler)
        handler.close()
    handler = logging.FileHandler(folder / LOG_NAME, encoding="utf-8")
    handler.set_name(LOG_HANDLER)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root.addHandler(handler)
    for name in INFORMING:
        logging.getLogger(name).setLevel(logging.INFO)
    logging.captureWarnings(True)
