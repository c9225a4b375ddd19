"""dbt's exposures name every mart that a page or message of their area reads."""

import re

import pytest
import yaml

from orchestration.cli_common import REPOSITORY

QUERIES = REPOSITORY / "dashboards" / "queries"
EXPOSURES = REPOSITORY / "dbt_project" / "models" / "marts" / "_marts__exposures.yml"
# Folder of queries → exposures of its pages; `access` is the way into the portal.
AREAS = {
    "programme": ("programme_overview", "partners", "leads", "commissions"),
    "approvals": ("approvals",),
    "portal": ("portal",),
    "access": ("portal",),
    "notices": ("notices",),
}
_TABLE = re.compile(r"\b(?:marts|exports)\.(\w+)")


def exposed():
    exposures = yaml.safe_load(EXPOSURES.read_text(encoding="utf-8"))["exposures"]
    return {
        each["name"]: set(re.findall(r"'(\w+)'", " ".join(each["depends_on"])))
        for each in exposures
    }


def test_every_folder_of_queries_has_an_exposure():
    folders = {path.name for path in QUERIES.iterdir() if path.is_dir()}
    assert folders <= AREAS.keys()
    assert {name for names in AREAS.values() for name in names} <= exposed().keys()


@pytest.mark.parametrize("area", AREAS)
def test_marts_of_an_area_are_named_by_its_exposures(area):
    read = {
        table
        for path in (QUERIES / area).glob("*.sql")
        for table in _TABLE.findall(re.sub(r"--.*", "", path.read_text(encoding="utf-8")))
    }
    named = set().union(*(exposed()[name] for name in AREAS[area]))
    assert sorted(read - named) == [], f"name them in {EXPOSURES.name}"
