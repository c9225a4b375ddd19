"""Programmes for the property tests: between them every shape of terms that is computed."""

MIXED = """\
program: {id: t, name: T, legal_entity: T Inc, timezone: America/New_York, reporting_currency: USD}
lead:
  - {effective_from: 2025-01-01, valid_when: demo_booked, protection_days: 60, own_domains: [own.test]}
attribution:
  - {effective_from: 2025-01-01, model: last_touch, compare_models: [first_touch], touch_window_days: 90, conversion_window_days: 150, code_grace_hours: 48, after_earning: recompute}
plans:
  - id: standard
    versions:
      - effective_from: 2025-01-01
        components:
          - {id: bounty, kind: event, trigger: demo_held, amount: {USD: 50.00, EUR: 45.01}}
          - {id: recurring, kind: recurring, rate: 0.2, duration: {months: 6, basis: charge_start}, products: {include: [], exclude: [prod_setup]}}
        hold: {days: 30, after: paid}
        clawback: {refund: {mode: proportional}, chargeback: {on_open: hold, on_lost: reverse, on_won: release}, churn: {window_days: 90, mode: prorated}, max_age_days: 120}
  - id: agency
    versions:
      - effective_from: 2025-01-01
        components:
          - {id: deal, kind: event, trigger: deal_won, rate: 0.0525}
          - {id: recurring, kind: recurring, rate: 0.125, duration: {months: 4, basis: service_period}, base: {discounts: ignore, usage: exclude, credits: exclude}}
        hold: {days: 15, after: month_end}
        clawback: {refund: {mode: proportional}, chargeback: {on_open: reverse, on_lost: reverse, on_won: release}, churn: {window_days: 60, mode: full}}
  - id: current
    versions:
      - effective_from: 2025-01-01
        terms_follow: current
        components:
          - {id: recurring, kind: recurring, rate: 0.3, duration: {months: null, basis: charge_start}}
          - {id: first, kind: event, trigger: first_payment, amount: {USD: 20.00}}
      - effective_from: 2025-07-01
        terms_follow: current
        components:
          - {id: recurring, kind: recurring, rate: 0.1, duration: {months: 0, basis: charge_start}}
        clawback: {refund: {mode: none}, chargeback: {on_open: none, on_lost: none, on_won: release}}
groups: {default: standard, agency: agency, current: current}
overrides: [{partner_id: p_jpy, plan: current, effective_from: 2025-05-01}]
payouts: {rails: {default: csv}, minimum: {USD: 50.00}}
"""

FIRST_TOUCH_PERSONS = """\
program: {id: t, name: T, legal_entity: T Inc, timezone: Asia/Tokyo, reporting_currency: EUR}
lead:
  - {effective_from: 2025-01-01, valid_when: signup, scope: person, protection_days: 30, existing_customer: allow}
  - {effective_from: 2025-06-01, valid_when: deal_won, scope: person, protection_days: 120, open_opportunity: allow, blocked_domains: [firm3.test]}
attribution:
  - {effective_from: 2025-01-01, model: first_touch, touch_window_days: 45, conversion_window_days: 30, collapse_repeats: false, after_earning: recompute, priority: [manual_ruling, referral_link, form_field, promotion_code, crm_field, deal_registration]}
plans:
  - id: standard
    versions:
      - effective_from: 2025-01-01
        components:
          - {id: booked, kind: event, trigger: demo_booked, amount: {USD: 10.00, EUR: 9.00, JPY: 1500}}
          - {id: recurring, kind: recurring, rate: 0.333333, duration: {months: 1, basis: charge_start}, base: {one_off: exclude, setup: exclude, shipping: include}}
        hold: {days: 0, after: event}
        clawback: {churn: {window_days: 120, mode: table, table: [{under_days: 30, share: 1.0}, {under_days: 90, share: 0.25}]}}
      - effective_from: 2025-08-01
        components:
          - {id: recurring, kind: recurring, rate: 0.05, duration: {months: 2, basis: service_period}, products: {include: [prod_main], exclude: []}}
groups: {default: standard}
payouts: {rails: {default: csv}}
"""
