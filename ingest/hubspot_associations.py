"""Which records of HubSpot belong together: the associations of records that landed anew.

Belongs here: whose associations are asked for, batches, the pages of long sets. Does not belong
here: what an answer must look like (`hubspot_batches`), the records (`hubspot_objects`), what an
association means (dbt).

The answers to one question hold all associations of a record, so the rows of a record's newest
arrival are its set. Archived and deleted records are not asked for: what they belonged to stays
known. HubSpot does not promise that a new association changes the record itself, so all of them
are read again every `sweep_days`.

Source: sources.md section 4.2; HubSpot's published OpenAPI of version 2026-09 (batch/read).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.errors import LoopingPagesError
from ingest.hubspot_api import Questions
from ingest.hubspot_batches import BATCH_LIMIT, check_batch, following_pages, known_ids
from ingest.hubspot_objects import is_sweep_due
from ingest.landing import Landing
from ingest.objects import Records, path_list
from ingest.pull import Plan, Pull, StreamHistory


@dataclass(frozen=True)
class Relation:
    """One kind of set. parent: stream whose records are asked for; target: type of the others."""

    name: str
    parent: str
    target: str


RELATIONS = (
    Relation("deal_contacts", "deals", "contacts"),
    Relation("deal_companies", "deals", "companies"),
    Relation("contact_companies", "contacts", "companies"),
    Relation("meeting_contacts", "meetings", "contacts"),
    Relation("meeting_companies", "meetings", "companies"),
)
PARENTS = tuple(dict.fromkeys(each.parent for each in RELATIONS))
MULTI_STATUS = frozenset({207})


@dataclass(frozen=True)
class AssociationStream:
    """The sets of all relations. Its state: up to which arrival of each parent they are known."""

    name: str = "associations"
    scope: str = "crm.objects.contacts.read"
    needs: tuple[str, ...] = PARENTS

    @property
    def records(self) -> Sequence[Records]:
        """One row per answer about a record: a long set has several, so the id is their md5."""
        return [
            Records(each.name, each.name, items="results", id="", parent="from.id", is_set=True)
            for each in RELATIONS
        ]

    def fingerprint(self, settings: Any) -> Mapping[str, Any]:
        """The version, which decides the shape of answers."""
        return {"api_version": settings.api_version}

    def plan(self, history: StreamHistory) -> Plan:
        """Up to which landing of each parent, and after which one."""
        until = {each: _newest_arrival(history, each) for each in PARENTS}
        reason = self._reason_for_all(history)
        known = {} if reason else history.state["arrivals"]
        after = {each: known.get(each, 0) for each in PARENTS}
        return Plan("full" if reason else "changes", {"after": after, "until": until}, reason)

    def _reason_for_all(self, history: StreamHistory) -> str:
        if history.last is None or history.last_full is None:
            return "first pull"
        if history.last.settings["fingerprint"] != self.fingerprint(history.settings):
            return "another version"
        return is_sweep_due(history)

    def fetch(self, pull: Pull) -> Mapping[str, Any]:
        """Ask for the sets of all relations, batch by batch.

        The cursor tells the relation, how many of its ids were asked for, and which sets have more
        pages: every answer is complete in itself.
        """
        questions = Questions(pull, self.scope)
        cursor = pull.cursor or {"relation": RELATIONS[0].name, "asked": 0, "more": []}
        names = [each.name for each in RELATIONS]
        for relation in RELATIONS[names.index(cursor["relation"]) :]:
            if cursor["relation"] != relation.name:
                cursor = {"relation": relation.name, "asked": 0, "more": []}
            _Batches(pull, questions, relation).fetch(cursor["asked"], cursor["more"])
        return {"arrivals": pull.plan.bounds["until"]}


class _Batches:
    """The batches of one relation."""

    def __init__(self, pull: Pull, questions: Questions, relation: Relation) -> None:
        self._pull = pull
        self._questions = questions
        self._relation = relation
        version = pull.settings.api_version
        self._path = f"/crm/associations/{version}/{relation.parent}/{relation.target}/batch/read"
        self._seen: set[tuple[str, str]] = set()

    def fetch(self, asked: int, more: Sequence[Sequence[str]]) -> None:
        """Ask for all sets from the cursor on. more: pairs of an id and where it goes on."""
        bounds = self._pull.plan.bounds
        parent = self._relation.parent
        landings = self._pull.history.of_stream(parent)
        ids = changed_ids(landings, bounds["after"][parent], bounds["until"][parent])
        waiting = [(each[0], each[1]) for each in more]
        while waiting or asked < len(ids):
            if waiting:
                batch, waiting = waiting[:BATCH_LIMIT], waiting[BATCH_LIMIT:]
                waiting = [*self._ask_more(batch), *waiting]
            else:
                waiting = self._ask(ids[asked : asked + BATCH_LIMIT])
                asked += BATCH_LIMIT
            cursor = {"asked": asked, "more": [list(each) for each in waiting]}
            self._pull.advance({"relation": self._relation.name, **cursor})

    def _ask(self, ids: Sequence[str]) -> list[tuple[str, str]]:
        """Ask for the first page of some sets; returns which have more."""
        content = self._post([{"id": each} for each in ids], ids, continues=False)
        return self._new(following_pages(content))

    def _ask_more(self, batch: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Ask for the next page of some sets; returns which have more."""
        asked = [{"id": each, "after": after} for each, after in batch]
        content = self._post(asked, (), continues=True)
        return self._new(following_pages(content))

    def _post(
        self, inputs: Sequence[Mapping[str, str]], ids: Sequence[str], *, continues: bool
    ) -> Any:
        answer = self._questions.post(
            self._path, {"inputs": inputs}, check_batch, accept=MULTI_STATUS
        )
        known = known_ids(answer.content, ids)
        self._pull.add(
            self._relation.name, self._path, answer, asked_ids=known, continues=continues
        )
        return answer.content

    def _new(self, pages: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        if not self._seen.isdisjoint(pages):
            raise LoopingPagesError(
                f"POST {self._path}: the server ignores after and repeats earlier pages",
                "Report it to the maker of the server; HubSpot itself honours after.",
            )
        self._seen.update(pages)
        return list(pages)


def _newest_arrival(history: StreamHistory, stream: str) -> int:
    return max((each.arrival for each in history.of_stream(stream)), default=0)


def changed_ids(landings: Sequence[Landing], after: int, until: int) -> list[str]:
    """Ids of the records that have a newer version in these landings and are neither archived nor
    deleted, in order. after: arrival, exclusive. until: inclusive."""
    import duckdb

    chosen = [each for each in landings if after < each.arrival <= until]
    paths = [path for each in chosen for path in each.part_paths(f"rows:{each.stream}")]
    if not paths:
        return []
    connection = duckdb.connect()
    try:
        rows = connection.execute(
            f"""
            select object_id
            from (
                select
                    object_id,
                    {{'arrival': _arrival, 'row': _row}} as version,
                    is_tombstone
                    or coalesce(cast(payload as json) ->> '$.archived' = 'true', false) as is_gone
                from read_parquet({path_list(paths)}, union_by_name = true)
            )
            group by object_id
            having not max_by(is_gone, version)
            order by length(object_id), object_id
            """
        ).fetchall()
    finally:
        connection.close()
    return [object_id for (object_id,) in rows]
