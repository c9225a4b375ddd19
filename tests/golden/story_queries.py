"""What the tables of a story are compared with: the published snapshot, as people read it.

Does not belong here: expected values.
"""

# The id of a commission that a partner shares in says nothing to a reader: whose, which, on what.
_SOURCE = """coalesce(
                shared.partner_id || ' ' || shared.component_id || ' ' || shared.source_id,
                {rows}.source_id
            ) as source_id"""
_SHARED = """left join marts.fct_commission_entries as shared
            on {rows}.source_type = 'commission' and {rows}.source_id = shared.commission_id
            and shared.ordinal = 1"""

# `{ids}` is what the rows of one story have in common: the beginning of all its ids.
_QUERIES = {
    "commission_lines": """
        select
            lines.kind, lines.partner_id, lines.plan_id, lines.component_id, lines.source_type,
            {source_of_lines}, lines.cause_type, lines.cause_id,
            case when lines.kind = 'earning' then lines.base_amount_minor end
                as base_amount_minor,
            case when lines.kind = 'earning' then lines.rate end as rate,
            lines.amount_minor, lines.currency_code, lines.payout_amount_minor,
            lines.payout_currency_code,
            case when lines.currency_code <> lines.payout_currency_code then lines.fx_rate end
                as fx_rate,
            lines.fx_rate_date,
            case when lines.kind = 'earning' then strftime(lines.earned_at, '%Y-%m-%dT%H:%M:%SZ')
            end as earned_at,
            lines.available_date, lines.expected_pay_date
        from marts.fct_commission_lines as lines
        {shared_by_lines}
        where lines.partner_id like '{ids}%'
    """,
    "entries": """
        select
            cast(entries.recorded_at - interval 1 day as date) as night,
            entries.entry_kind, entries.partner_id, entries.component_id,
            {source_of_entries}, entries.cause_type, entries.cause_id,
            entries.amount_minor, entries.currency_code,
            entries.payout_amount_minor, entries.payout_currency_code, entries.effective_date,
            entries.available_date,
            reversed.entry_kind || ' ' || cast(reversed.effective_date as varchar) || ' '
                || cast(reversed.amount_minor as varchar) as reverses
        from marts.fct_commission_entries as entries
        {shared_by_entries}
        left join marts.fct_commission_entries as reversed
            on entries.reverses_entry_id = reversed.entry_id
        where entries.partner_id like '{ids}%'
    """,
    "balances": """
        select
            partner_id, payout_currency_code, earned_amount_minor, reversed_amount_minor,
            on_hold_amount_minor, available_amount_minor, in_batch_amount_minor,
            paid_amount_minor, balance_amount_minor
        from marts.fct_partner_balances
        where partner_id like '{ids}%'
    """,
    "submissions": """
        select submission_key, partner_id, verdict, rival_key
        from marts.fct_lead_submissions
        where partner_id like '{ids}%'
    """,
    "candidates": """
        select touchpoint_id, partner_id, is_winner, lost_to
        from marts.fct_attribution_candidates
        where partner_id like '{ids}%'
    """,
    "registrations": """
        select
            submission_key, submission_type, registration_status,
            strftime(expires_at, '%Y-%m-%dT%H:%M:%SZ') as expires_at,
            strftime(protected_until_at, '%Y-%m-%dT%H:%M:%SZ') as protected_until_at
        from marts.fct_lead_submissions
        where partner_id like '{ids}%'
    """,
    "decisions": """
        select
            kind, subject_key, decision, partner_id, decided_by,
            strftime(expires_at, '%Y-%m-%dT%H:%M:%SZ') as expires_at, reason, evidence
        from marts.fct_lead_decisions
        where partner_id like '{ids}%'
    """,
    "attributions": """
        select partner_id, model, is_paying, credit_ppm, decided_by
        from marts.fct_attributions
        where partner_id like '{ids}%'
    """,
    "discrepancies": """
        select partner_id, held_by, credit_ppm, computed_credit_ppm
        from marts.fct_attribution_discrepancies
        where partner_id like '{ids}%'
    """,
    "comparison": """
        select
            model, partner_id, currency_code, leads, paying_amount_minor, model_amount_minor,
            moved_amount_minor
        from marts.fct_attribution_comparison
        where partner_id like '{ids}%'
    """,
    "leads": """
        select
            entries.source_id,
            case when aliases.alias_lead_id is null then 'lead' else 'alias' end as recorded_under,
            dense_rank() over (order by coalesce(aliases.lead_id, entries.lead_id)) as lead_number
        from marts.fct_commission_entries as entries
        left join marts.dim_lead_aliases as aliases on entries.lead_id = aliases.alias_lead_id
        where entries.partner_id like '{ids}%'
    """,
    "missed_credits": """
        select
            customer_id, currency_code, partner_id, amount_minor, paid_lines, first_paid_date,
            evidence_type, evidence_key, strftime(evidence_at, '%Y-%m-%dT%H:%M:%SZ') as evidence_at,
            reason, why_not
        from marts.fct_missed_credits
        where partner_id like '{ids}%'
    """,
    "duplicates": """
        select kind, partner_id, other_partner_id
        from marts.fct_duplicate_leads
        where partner_id like '{ids}%' and kind like '%_claim'
    """,
    "signals": """
        select kind, severity, partner_id, hold_state
        from marts.fct_risk_signals
        where partner_id like '{ids}%'
    """,
    "shared_keys": """
        select kind, count(*) as exceptions
        from marts.fct_exceptions
        where kind in ('shared_device', 'shared_mailbox')
        group by kind
    """,
    "unpaid": """
        select invoice_line_id, reason
        from marts.fct_unpaid_lines
        where invoice_line_id like '{ids}%'
    """,
    "posting": """
        select
            cast(entries.recorded_at - interval 1 day as date) as night,
            entries.entry_kind, entries.source_id, entries.cause_id, entries.amount_minor,
            entries.effective_date, entries.posting_period,
            corrected.entry_kind || ' ' || cast(corrected.effective_date as varchar) || ' '
                || cast(corrected.amount_minor as varchar) as corrects
        from marts.fct_commission_entries as entries
        left join marts.fct_commission_entries as corrected
            on entries.corrects_entry_id = corrected.entry_id
        where entries.partner_id like '{ids}%'
    """,
    "cap_cuts": """
        select
            partner_id, invoice_line_id, cap, currency_code, cut_amount_minor, whole_amount_minor
        from marts.fct_cap_cuts
        where partner_id like '{ids}%'
    """,
    "exceptions": """
        select kind, subject
        from marts.fct_exceptions
        where subject like '%:{ids}%'
    """,
}

QUERIES = {
    name: query.replace("{source_of_lines}", _SOURCE.format(rows="lines"))
    .replace("{shared_by_lines}", _SHARED.format(rows="lines"))
    .replace("{source_of_entries}", _SOURCE.format(rows="entries"))
    .replace("{shared_by_entries}", _SHARED.format(rows="entries"))
    for name, query in _QUERIES.items()
}
