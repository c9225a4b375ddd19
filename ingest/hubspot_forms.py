"""Submissions of HubSpot's forms, from the only endpoint that has them: a legacy one.

Belongs here: all of it, apart from the rest: HubSpot ends the endpoint in September 2027 and has
named no successor. Does not belong here: fields and partner codes (dbt).

The list of a form is newest first and cannot be filtered, so it is read until it is older than
what is known. Each form has its own mark: one that is added later is read from its beginning, and
every `sweep_days` all of them are, against submissions that were dated back.

Source: sources.md section 4.2; HubSpot's reference of the forms API, version 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from ingest.errors import PermanentSourceError
from ingest.http import UnusableAnswerError
from ingest.hubspot_api import Check, Questions, check_results
from ingest.hubspot_objects import is_sweep_due
from ingest.hubspot_search import milliseconds
from ingest.objects import Records
from ingest.pull import Plan, Pull, StreamHistory

FORM_PAGE_LIMIT = 50


@dataclass(frozen=True)
class FormStream:
    """The submissions of the forms that the settings name. Its state: known until when, by form."""

    name: str = "form_submissions"
    scope: str = "forms"
    needs: tuple[str, ...] = ()

    @property
    def records(self) -> Sequence[Records]:
        """One row per submission, under its form."""
        return (Records("list", self.name, items="results", id="conversionId", parent="envelope"),)

    def fingerprint(self, settings: Any) -> Mapping[str, Any]:
        """The forms, in order: the cursor counts them."""
        return {"forms": list(settings.forms)}

    def plan(self, history: StreamHistory) -> Plan:
        """Until when the list of each form has to be read; None: to its beginning."""
        reason = "first pull" if history.last_full is None else is_sweep_due(history)
        known = {} if reason else history.state["known_until"]
        overlap = timedelta(hours=history.settings.overlap_hours)
        since = {
            form: (datetime.fromisoformat(known[form]) - overlap).isoformat()
            if form in known
            else None
            for form in history.settings.forms
        }
        mode = "full" if reason else "changes"
        return Plan(mode, {"since": since, "upper": history.now.isoformat()}, reason)

    def fetch(self, pull: Pull) -> Mapping[str, Any]:
        """The lists of all forms, one after the other."""
        questions = Questions(pull, self.scope)
        forms = list(pull.plan.bounds["since"])
        cursor = pull.cursor or {"form": 0, "after": None}
        for number in range(cursor["form"], len(forms)):
            after = cursor["after"] if number == cursor["form"] else None
            self._fetch_form(pull, questions, number, forms[number], after)
        return {"known_until": dict.fromkeys(forms, pull.plan.bounds["upper"])}

    def _fetch_form(
        self, pull: Pull, questions: Questions, number: int, form: str, after: str | None
    ) -> None:
        """Page one form's list until it is older than what is known."""
        path = f"/form-integrations/v1/submissions/forms/{quote(form, safe='')}"
        since = pull.plan.bounds["since"][form]
        oldest_wanted = int(milliseconds(datetime.fromisoformat(since))) if since else None
        params = {"limit": str(FORM_PAGE_LIMIT)}
        missing = _missing(pull.history.source, form)
        for answer, following in questions.pages(path, params, after, _check(), missing):
            pull.add("list", path, answer, parent_id=form)
            times = [each["submittedAt"] for each in answer.content["results"]]
            is_known = oldest_wanted is not None and times and min(times) < oldest_wanted
            is_complete = following is None or is_known
            pull.advance(
                {"form": number + 1, "after": None}
                if is_complete
                else {"form": number, "after": following}
            )
            if is_complete:
                return


def _missing(source: str, form: str) -> PermanentSourceError:
    return PermanentSourceError(
        f"{source}: there is no form {form}, or its submissions cannot be read any more",
        f"Remove it from sources.{source}.forms if it was deleted. HubSpot ends this endpoint in "
        "September 2027.",
    )


def _check() -> Check:
    is_page = check_results("conversionId")

    def check(content: Any) -> None:
        is_page(content)
        if not all(isinstance(each.get("submittedAt"), int) for each in content["results"]):
            raise UnusableAnswerError("a submission of the answer has no submittedAt")

    return check
