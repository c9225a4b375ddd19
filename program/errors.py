"""Every error class of the terms room, and the one-line form of a problem.

All of them are permanent: a file must be changed before trying again can help. Does not belong
here: deciding what is wrong (`lint`, `validation`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class ProgramError(Exception):
    """Base of all errors of this package. Permanent: trying again without a change cannot help."""

    is_transient = False


class CurrencyError(ProgramError, ValueError):
    """An unknown currency, or an amount that its minor unit cannot hold exactly (rule M1)."""


class CalendarError(ProgramError, ValueError):
    """A span of days in which no pay date can be worked out."""


class WorkspaceExistsError(ProgramError):
    """A workspace would overwrite a file that is already there."""


@dataclass(frozen=True)
class Problem:
    """One fault in a terms file.

    file: name of the file without its directory. line: 1-based, of the setting itself.
    setting: dotted path such as `lead[0].valid_when`, empty for the file as a whole.
    message: what is wrong. hint: what to write instead, may be empty.
    """

    file: str
    line: int
    setting: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: "
        setting = f"{self.setting}: " if self.setting else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{where}{setting}{self.message}{hint}"


class TermsError(ProgramError):
    """The terms cannot be used. `problems` holds all of them, ordered by file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(
            dict.fromkeys(problems), key=lambda p: (p.file, p.line, p.setting, p.message)
        )
        super().__init__("\n".join(str(problem) for problem in self.problems))
