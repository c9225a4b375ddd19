"""Random programmes in which every shape of terms occurs, as the text of program.yml.

Plans in three versions; what has only a few forms (tiers, caps, clocks, bonuses) goes round, so
that a programme has all of them, and the combinations are random. One component id stands in all
versions of a plan, because counts run over versions. Does not belong here: any expected value.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import cycle, product
from typing import Any

import yaml

PLANS = {"alpha": "pinned", "beta": "current", "gamma": "pinned", "delta": "current"}
GROUPS = {"default": "alpha", "agency": "beta", "current": "gamma"}
OVERRIDES = (("p_jpy", "delta", date(2025, 7, 1)), ("p_kwd", "delta", date(2025, 4, 1)))
VERSIONS = (date(2024, 6, 1), date(2025, 6, 15), date(2025, 11, 1))
METRICS = ("customers", "revenue", "conversions")
MODES = ("marginal", "whole", "forward")
PERIODS = ("month", "quarter", "year", "life")
CAPS = {
    "per_invoice": (10, 40),
    "per_customer": (40, 200),
    "per_partner_month": (60, 300),
    "per_programme_month": (100, 600),
}
# How many units make about a dollar, and the decimals that an amount may have.
UNITS = {
    "USD": ("1", 2),
    "EUR": ("0.9", 2),
    "JPY": ("150", 0),
    "KWD": ("0.3", 3),
    "BHD": ("0.4", 3),
}


class _Dumper(yaml.SafeDumper):
    """Decimals as written."""


def _plain(dumper: yaml.SafeDumper, value: Decimal) -> yaml.Node:
    kind = "float" if "." in str(value) else "int"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{kind}", str(value))


_Dumper.add_representer(Decimal, _plain)


def programme(
    seed: int, *, timezone: str, reporting_currency: str, lead: dict, attribution: dict
) -> str:
    """A programme with these first versions of `lead` and `attribution`, and random plans."""
    writer = _Writer(random.Random(seed), reporting_currency)
    since = {"effective_from": date(2024, 6, 1)}
    terms = {
        "program": {
            "id": "t",
            "name": "T",
            "legal_entity": "T Inc",
            "timezone": timezone,
            "reporting_currency": reporting_currency,
        },
        "lead": [since | lead],
        "attribution": [since | attribution],
        "plans": [
            {"id": plan_id, "versions": [writer.version(day, follow) for day in VERSIONS]}
            for plan_id, follow in PLANS.items()
        ],
        "groups": GROUPS,
        "overrides": [
            {"partner_id": partner_id, "plan": plan_id, "effective_from": day}
            for partner_id, plan_id, day in OVERRIDES
        ],
        "payouts": {"rails": {"default": "csv"}},
    }
    return yaml.dump(terms, Dumper=_Dumper, sort_keys=False)


class _Writer:
    """Draws settings; what goes round goes on from one version to the next."""

    def __init__(self, chance: random.Random, reporting_currency: str) -> None:
        self.chance = chance
        self.reporting_currency = reporting_currency
        self.tiers = self._round(product(METRICS, MODES))
        self.tier_periods = self._round(PERIODS)
        self.caps = self._round(CAPS)
        self.clocks = self._round(("continue", "restart", "stop"))
        self.bonuses = self._round(product(METRICS, PERIODS))

    def _round(self, choices: Any) -> Iterator[Any]:
        listed = list(choices)
        self.chance.shuffle(listed)
        return cycle(listed)

    def maybe(self, probability: float) -> bool:
        return self.chance.random() < probability

    def version(self, since: date, follow: str) -> dict[str, Any]:
        """A version with the components that all versions have, and some that only some have."""
        components = [self._main(), self._bonus(), self._referral()]
        if self.maybe(0.6):
            components.append(self._side())
        if self.maybe(0.7):
            components.append(self._event())
        return {
            "effective_from": since,
            "terms_follow": follow,
            "components": components,
            "hold": {
                "days": self.chance.choice((0, 15, 30)),
                "after": self.chance.choice(("paid", "event", "month_end")),
            },
            "clawback": self._clawback(),
        }

    def _rate(self) -> Decimal:
        return Decimal(self.chance.randrange(1, 500_000)).scaleb(-6)

    def _amount(self, dollars: float, currency_code: str) -> Decimal:
        """Roughly so many dollars in a currency, with all the decimals that it may have."""
        factor, decimals = UNITS[currency_code]
        major = Decimal(dollars) * Decimal(factor) * Decimal(self.chance.randrange(80, 120)) / 100
        return max(major.quantize(Decimal(1).scaleb(-decimals)), Decimal(1).scaleb(-decimals))

    def _amounts(self, low: float, high: float, probability: float = 0.8) -> dict[str, Decimal]:
        dollars = low + (high - low) * self.chance.randrange(1000) / 1000
        found = {code: self._amount(dollars, code) for code in UNITS if self.maybe(probability)}
        return found or {"USD": self._amount(dollars, "USD")}

    def _main(self) -> dict[str, Any]:
        months = self.chance.choice((None, 0, 6, 12, 18))
        basis = self.chance.choice(("charge_start", "service_period"))
        component: dict[str, Any] = {
            "id": "main",
            "kind": "recurring",
            "rate": self._rate(),
            "duration": {"months": months, "basis": basis},
            "base": {
                "discounts": self.chance.choice(("reduce", "ignore")),
                "credits": self.chance.choice(("include", "include", "exclude")),
                "shipping": self.chance.choice(("include", "exclude")),
            },
            "products": {"exclude": self.chance.choice(([], [], ["prod_setup"]))},
        }
        if self.maybe(0.85):
            component["tiers"] = self._tiers(*next(self.tiers))
        if self.maybe(0.3) and months != 0:
            component["first_payment_rate"] = self._rate()
        if self.maybe(0.4):
            component["conditions"] = [
                {"country": countries, "rate": self._rate()}
                for countries in (["DE", "AT"], ["FR"])[: self.chance.choice((1, 2))]
            ]
        if self.maybe(0.4):
            component["product_rates"] = {"prod_use": self._rate()}
        caps = [next(self.caps) for _ in range(self.chance.choice((0, 1, 2, 3)))]
        if caps:
            component["caps"] = {cap: self._amounts(*CAPS[cap]) for cap in caps}
        if self.maybe(0.3):
            component["minimum"] = self._amounts(0.5, 3, 0.5)
        if self.maybe(0.3):
            component["maximum"] = self._amounts(20, 80, 0.5)
        clock = next(self.clocks)
        if clock == "stop" and months != 0 or clock == "restart" and months is not None:
            component["reactivation"] = {
                "mode": clock,
                "gap_days": self.chance.choice((20, 45, 90)),
            }
        return component

    def _side(self) -> dict[str, Any]:
        """A second component on some of the lines, by products."""
        component = {
            "id": "side",
            "kind": "recurring",
            "rate": self._rate(),
            "duration": {"months": self.chance.choice((None, 3, 9))},
            "products": {"include": ["prod_use", "prod_ship"]},
            "base": {"shipping": "include"},
            "tiers": self._tiers(*next(self.tiers)),
            "caps": {next(self.caps): self._amounts(5, 60)},
        }
        return component

    def _tiers(self, metric: str, mode: str) -> dict[str, Any]:
        period = next(self.tier_periods)
        widths = {"month": 1, "quarter": 2, "year": 4, "life": 6}[period]
        steps = (2, 7) if metric != "revenue" else (400, 2000)
        starts: list[Any] = [0]
        for step in steps[: self.chance.choice((1, 2, 2))]:
            volume = step * widths + self.chance.randrange(step)
            is_money = metric == "revenue"
            starts.append(self._amount(volume, self.reporting_currency) if is_money else volume)
        return {
            "metric": metric,
            "period": period,
            "mode": mode,
            "bands": [{"from": start, "rate": self._rate()} for start in starts],
        }

    def _bonus(self) -> dict[str, Any]:
        metric, period = next(self.bonuses)
        width = {"month": 1, "quarter": 2, "year": 4, "life": 5}[period]
        threshold: Any = width * self.chance.choice((2, 3))
        if metric == "revenue":
            threshold = self._amount(threshold * 200, self.reporting_currency)
        return {
            "id": "bonus",
            "kind": "bonus",
            "metric": metric,
            "period": period,
            "threshold": threshold,
            "amount": self._amounts(20, 500),
        }

    def _referral(self) -> dict[str, Any]:
        months = self.chance.choice((3, 9, 15))
        return {"id": "share", "kind": "partner_referral", "rate": self._rate(), "months": months}

    def _event(self) -> dict[str, Any]:
        trigger = self.chance.choice(("demo_booked", "demo_held", "deal_won", "first_payment"))
        component: dict[str, Any] = {"id": "event", "kind": "event", "trigger": trigger}
        if self.maybe(0.3):
            return component | {"rate": self._rate()}
        return component | {"amount": self._amounts(5, 50)}

    def _clawback(self) -> dict[str, Any]:
        table = [
            {"under_days": 20, "share": Decimal(1)},
            {"under_days": 60, "share": self._rate()},
        ]
        churn = self.chance.choice(
            (
                {"window_days": 90, "mode": "prorated"},
                {"window_days": 120, "mode": "full"},
                {"window_days": 60, "mode": "table", "table": table},
            )
        )
        policy: dict[str, Any] = {
            "refund": {"mode": self.chance.choice(("proportional",) * 5 + ("none",))},
            "chargeback": {
                "on_open": self.chance.choice(("hold", "reverse", "reverse", "none")),
                "on_lost": self.chance.choice(("reverse", "reverse", "none")),
            },
            "churn": churn,
        }
        if self.maybe(0.3):
            policy["max_age_days"] = self.chance.choice((60, 200))
        return policy
