"""Rules across the settings of one recurring component (T3), each with the line of the file."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

import pytest

from program.countries import COUNTRIES, is_country

Problems = Callable[..., list[str]]
ProgramWith = Callable[..., str]

COMPONENT = "          - id: recurring\n            kind: recurring\n            rate: 0.20\n"
START = "plans[0].versions[0].components[0]"
TIERS = "tiers: {{metric: {0}, period: month,\n        bands: [{{from: 0, rate: 0.2}}, {1}]}}"


def _with(*settings: str) -> tuple[str, str]:
    """The component with settings added; the first of them stands on line 15."""
    return COMPONENT, COMPONENT + "".join(f"            {setting}\n" for setting in settings)


@pytest.mark.parametrize(
    ("settings", "line", "path", "expected"),
    [
        (
            ["tiers: {metric: customers, period: year, bands: [{from: 1, rate: 0.1}]}"],
            15, "tiers.bands[0].from", "leaves a gap below the first band; begin with from: 0",
        ),
        (
            [TIERS.format("customers", "{from: 0, rate: 0.3}")],
            16, "tiers.bands[1].from", "is not above the band before",
        ),
        (
            [TIERS.format("customers", "{from: 10.5, rate: 0.3}")],
            16, "tiers.bands[1].from", "10.5 is no whole number; customers are counted",
        ),
        (
            [TIERS.format("conversions", "{from: 0.1, rate: 0.3}")],
            16, "tiers.bands[1].from", "conversions are counted",
        ),
        (
            [TIERS.format("revenue", "{from: 1000.005, rate: 0.3}")],
            16, "tiers.bands[1].from", "USD has at most 2 decimals; revenue is summed up in "
            "program.reporting_currency",
        ),
        (
            [TIERS.format("customers", "{from: 10, rate: 0.20}")],
            16, "tiers.bands[1].rate", "this band changes nothing; remove the band, or change",
        ),
        (
            ["products: {include: [a, b]}", "product_rates: {a: 0.1, b: 0.3}",
             TIERS.format("customers", "{from: 10, rate: 0.3}")],
            17, "tiers", "are never reached: every included product has its rate",
        ),
        (
            ["products: {exclude: [a]}", "product_rates:", "  b: 0.1", "  a: 0.3"],
            18, "product_rates.a", "is never reached: products.exclude names this product",
        ),
        (
            ["products: {include: [b]}", "product_rates:", "  b: 0.1", "  a: 0.3"],
            18, "product_rates.a", "is never reached: products.include does not name",
        ),
        (
            ["conditions: [{country: [DE], rate: 0.1},", "{country: [DE], rate: 0.2}]"],
            16, "conditions[1]", "is never reached: others match first",
        ),
        (
            ["conditions:", "  - {country: [DE, AT], rate: 0.1}", "  - rate: 0.2",
             "    country: [CH, AT]"],
            18, "conditions[1].country", "AT: a condition above matches first; name each country",
        ),
        (
            ["conditions:", "  - rate: 0.1", "    country: [de]"],
            17, "conditions[0].country[0]", "'de' is not a country code of ISO 3166; write DE",
        ),
        (
            ["conditions: [{country: [UK], rate: 0.1}]"],
            15, "conditions[0].country[0]", "'UK' is not a country code of ISO 3166; write two",
        ),
        (
            ["conditions: [{country: [NO, Norway], rate: 0.1}]"],
            15, "conditions[0].country[1]", "'Norway' is not a country code",
        ),
        (
            ["minimum: {USD: 5}", "maximum: {EUR: 1, USD: 4}"],
            16, "maximum.USD", "is below the minimum",
        ),
        (["minimum: {USD: 0.00}"], 15, "minimum.USD", "is 0 and changes nothing; remove it"),
        (["maximum: {USD: 0}"], 15, "maximum.USD", "is 0, so that nothing would be earned"),
        (["maximum: {JPY: 0.5}"], 15, "maximum.JPY", "JPY has no decimals"),
        (["caps: {per_invoice: {JPY: 0.5}}"], 15, "caps.per_invoice.JPY", "JPY has no decimals"),
        (
            ["caps:", "  per_programme_month:", "    EUR: 5", "    USD: 0"],
            18, "caps.per_programme_month.USD", "is 0, so that everything would be cut",
        ),
        *(
            (
                ["minimum: {USD: 5.01}", f"caps: {{{scope}: {{USD: 5}}}}"],
                15, "minimum.USD", f"is above caps.{scope}, which would cut every line to less",
            )
            for scope in ("per_invoice", "per_customer", "per_partner_month")
        ),
        (["reactivation: {mode: stop}"], 15, "reactivation", "needs gap_days"),
        (
            ["reactivation:", "  gap_days: 30", "  mode: restart"],
            17, "reactivation.mode", "restart changes nothing: without duration.months no clock",
        ),
        (
            ["duration: {months: null}", "reactivation: {mode: restart, gap_days: 30}"],
            16, "reactivation.mode", "write duration.months, or remove reactivation",
        ),
        (
            ["duration: {months: 0}", "reactivation: {mode: stop, gap_days: 30}"],
            16, "reactivation.mode", "stop changes nothing: months: 0 pays the first payment only",
        ),
        (
            ["duration: {months: 0}", "first_payment_rate: 0.5"],
            16, "first_payment_rate", "leaves nothing to rate and all other rates: months: 0 pays",
        ),
    ],
)  # fmt: skip
def test_contradiction_in_a_recurring_component_is_refused_on_its_line(
    problems: Problems,
    program_with: ProgramWith,
    settings: list[str],
    line: int,
    path: str,
    expected: str,
) -> None:
    lines = problems(program_with(replace=_with(*settings)))
    assert len(lines) == 1, lines
    assert lines[0].startswith(f"program.yml:{line}: {START}.{path}: "), lines
    assert expected in lines[0]
    assert "; " in lines[0], "says what to do"


@pytest.mark.parametrize(
    "settings",
    [
        ["caps: {per_programme_month: {USD: 5}}", "minimum: {USD: 6}"],
        ["caps: {per_invoice: {EUR: 5}}", "minimum: {USD: 6}", "maximum: {USD: 6}"],
        ["duration: {months: 0}", "first_payment_rate: 0.5",
         "reactivation: {mode: restart, gap_days: 30}"],
        ["duration: {months: 12}", "reactivation: {mode: restart, gap_days: 30}"],
        ["reactivation: {mode: stop, gap_days: 30}"],
        ["products: {include: [a, b]}", "product_rates: {a: 0.1}",
         TIERS.format("customers", "{from: 10.0, rate: 0}")],
        ["conditions: [{country: [DE, AT, DE], rate: 0}, {country: [XK, NO], rate: 0.1}]"],
        [TIERS.format("revenue", "{from: 1000.50, rate: 0.3}")],
    ],
)  # fmt: skip
def test_settings_that_go_together_are_accepted(
    problems: Problems, program_with: ProgramWith, settings: list[str]
) -> None:
    assert problems(program_with(replace=_with(*settings))) == []


def test_bands_of_revenue_are_whole_in_the_reporting_currency(
    problems: Problems, program_with: ProgramWith
) -> None:
    text = program_with(replace=_with(TIERS.format("revenue", "{from: 1000.50, rate: 0.3}")))
    (line,) = problems(text.replace("reporting_currency: USD", "reporting_currency: JPY"))
    assert "tiers.bands[1].from: 1000.50 JPY has too many decimals" in line


def test_faulty_months_do_not_look_like_a_duration_for_life(
    problems: Problems, program_with: ProgramWith
) -> None:
    settings = ["duration: {months: many}", "reactivation: {mode: restart, gap_days: 30}"]
    (line,) = problems(program_with(replace=_with(*settings)))
    assert "duration.months: must be a whole number" in line


def test_countries_are_those_of_the_time_zone_database() -> None:
    table = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text(encoding="utf-8")
    codes = {line[:2] for line in table.splitlines() if not line.startswith("#")}
    assert codes == COUNTRIES
    assert not is_country("ZZ")
