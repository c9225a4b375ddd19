"""Messages as text: the templates of ``templates/mail``, or those of the workspace's ``mail/``.

What belongs here: finding, checking and filling templates. What does not: what is in a payload.

A kind has ``KIND.txt`` with the blocks ``subject`` and ``content`` (for staff also ``chat``) and
``KIND.html`` with the block ``content``; ``_letter.txt`` and ``_letter.html`` go around them. A
file of the same name in the folder ``mail/`` beside program.yml takes the place of ours.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, Template, TemplateError
from jinja2.exceptions import TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from dashboards import words
from dashboards.errors import NoticeTemplateError
from dashboards.notices.kinds import DIGEST, KINDS, STAFF_KINDS
from dashboards.notices.samples import sample
from dashboards.notices.wording import FAILED_PAYOUTS, HELD_REASONS, STAGES, TAKEN_BACK_REASONS

FOLDER = Path(__file__).resolve().parent.parent / "templates" / "mail"
WORKSPACE_FOLDER = "mail"
_SUBJECT_CHARACTERS = 150
_GAP = re.compile(r"\n{3,}")


@dataclass(frozen=True)
class Rendered:
    """One message in words. ``chat`` is empty for kinds that do not go to the chat."""

    subject: str
    text: str
    html: str
    chat: str = ""


class Renderer:
    """Fills the templates of one programme."""

    def __init__(
        self, workspace_root: Path, programme_name: str, timezone: str, base_url: str = ""
    ) -> None:
        """base_url: where people reach the app, without a slash at the end; empty: no links."""
        self._own = workspace_root / WORKSPACE_FOLDER
        self._shared = {"programme_name": programme_name, "base_url": base_url.rstrip("/")}
        folders = [self._own, FOLDER] if self._own.is_dir() else [FOLDER]
        loader = ChoiceLoader([FileSystemLoader(folder) for folder in folders])
        self._text = _environment(loader, timezone, is_html=False)
        self._html = _environment(loader, timezone, is_html=True)

    def render(self, kind: str, payload: Mapping[str, Any]) -> Rendered:
        """The message of a kind. Raises: NoticeTemplateError naming file and line."""
        values = {**self._shared, "sections": [], **payload, "kind": kind}
        if kind == DIGEST:
            values["text_sections"] = [
                self._block(
                    self._text, f"{section['kind']}.txt", "content", _alone(values, section)
                )
                for section in values["sections"]
            ]
            values["html_sections"] = [
                Markup(self._block(self._html, f"{section['kind']}.html", "content",
                                   _alone(values, section)))
                for section in values["sections"]
            ]  # fmt: skip
        subject = self._block(self._text, f"{kind}.txt", "subject", values)
        chat = self._block(self._text, f"{kind}.txt", "chat", values) if kind in STAFF_KINDS else ""
        return Rendered(
            subject=one_line(subject)[:_SUBJECT_CHARACTERS],
            # Where an optional part is left out, no gap stays.
            text=_GAP.sub("\n\n", self._whole(self._text, f"{kind}.txt", values)).strip() + "\n",
            html=self._whole(self._html, f"{kind}.html", values).strip() + "\n",
            chat=chat.strip(),
        )

    def check(self) -> None:
        """Fill every template with sample values, so that a broken one stops before anything is
        sent. Raises: NoticeTemplateError.
        """
        for kind in KINDS:
            self.render(kind, sample(kind))
        known = {f"{kind}.{ending}" for kind in KINDS for ending in ("txt", "html")}
        known |= {path.name for path in FOLDER.iterdir()}
        for path in sorted(self._own.iterdir()) if self._own.is_dir() else ():
            if path.is_file() and not path.name.startswith(".") and path.name not in known:
                raise NoticeTemplateError(
                    f"{path} takes the place of no template; name it as one of "
                    f"{', '.join(sorted(known)[:4])}, … (`partnerledger notices preview KIND`)"
                )

    def _whole(
        self, environment: SandboxedEnvironment, name: str, values: Mapping[str, Any]
    ) -> str:
        template = self._template(environment, name)
        try:
            return template.render(values)
        except (TemplateError, TypeError, ValueError, KeyError, AttributeError) as error:
            raise self._told(name, error) from error

    def _block(
        self, environment: SandboxedEnvironment, name: str, block: str, values: Mapping[str, Any]
    ) -> str:
        template = self._template(environment, name)
        if block not in template.blocks:
            raise NoticeTemplateError(
                f"{template.filename} has no block {block}; add "
                f"{{% block {block} %}}…{{% endblock %}}"
            )
        try:
            return "".join(template.blocks[block](template.new_context(dict(values))))
        except (TemplateError, TypeError, ValueError, KeyError, AttributeError) as error:
            raise self._told(name, error) from error

    def _template(self, environment: SandboxedEnvironment, name: str) -> Template:
        try:
            return environment.get_template(name)
        except (TemplateError, UnicodeDecodeError) as error:
            raise self._told(name, error) from error

    def _told(self, name: str, error: Exception) -> NoticeTemplateError:
        """Which file and line; what the error repeats of values is left out where it could."""
        file, line = str(FOLDER / name), 0
        if isinstance(error, TemplateSyntaxError):
            file, line = error.filename or file, error.lineno
        else:
            folders = (str(self._own), str(FOLDER))
            for frame in traceback.extract_tb(error.__traceback__):
                if frame.filename.startswith(folders):
                    file, line = frame.filename, frame.lineno or 0
        own = self._own / name
        if line == 0 and own.is_file():
            file = str(own)
        text = " ".join(str(error).split())[:200]
        return NoticeTemplateError(
            f"{file}:{line}: {type(error).__name__}: {text}. Correct the template or remove it; "
            "nothing was sent"
        )


def one_line(text: str) -> str:
    """Text that can stand in a header: no line break, no control character."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _environment(loader: ChoiceLoader, timezone: str, *, is_html: bool) -> SandboxedEnvironment:
    from dashboards.templating import day, instant, money, number, plural

    environment = SandboxedEnvironment(
        loader=loader,
        autoescape=is_html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    zone = ZoneInfo(timezone)
    environment.filters |= {
        "money": money,
        "number": number,
        "day": day,
        "instant": lambda value: instant(value, zone),
        "local_day": lambda value: instant(value, zone)[:10],
        "plural": plural,
        "word": words.word,
        "held_reason": lambda code: HELD_REASONS.get(code, HELD_REASONS["other"]),
        "taken_back_reason": lambda code: TAKEN_BACK_REASONS.get(code, words.word(code)),
        "failed_payout": lambda code: FAILED_PAYOUTS.get(code, words.word(code)),
        "totals": lambda rows: ", ".join(
            money(each["amount_minor"], each["currency_code"]) for each in rows
        ),
        "stage": lambda code: STAGES.get(code, words.word(code)),
        "line": one_line,
    }
    return environment


def _alone(values: Mapping[str, Any], section: Mapping[str, Any]) -> dict[str, Any]:
    """What the template of one kind sees within a digest: its own section alone."""
    return {**values, "sections": [section], "kind": section["kind"]}
