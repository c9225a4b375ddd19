-- The core sums of the commission benchmark as one would write them by hand: Parquet in, ledger and totals per
-- partner out. The partner of the last touch in the window (the highest type present), 20 % of each line paid in
-- the 12 months from the first charge, refunds in proportion, payout currency at the rate of the day. One plan, no
-- versions, no explanations, no checks, no journal. Variables: folder, as_of_end (UTC), timezone.

CREATE MACRO local_date(moment) AS CAST(timezone(getvariable('timezone'), moment) AS DATE);
CREATE MACRO lead_of(email) AS CASE
    WHEN split_part(email, '@', 2) = 'gmail.com' THEN email ELSE split_part(email, '@', 2)
END;
CREATE MACRO rounded(numerator, denominator) AS CAST(
    sign(numerator) * ((2 * abs(numerator) + denominator) // (2 * denominator)) AS BIGINT
);
CREATE MACRO wide(amount) AS CAST(amount AS HUGEINT);

CREATE TEMP TABLE paid_invoices AS
WITH parts AS (
    SELECT invoice_id, sum(amount_minor) AS paid_minor, min(paid_at) AS first_paid_at
    FROM read_parquet(getvariable('folder') || '/payments.parquet')
    WHERE paid_at < getvariable('as_of_end')
    GROUP BY invoice_id
)

SELECT
    invoices.invoice_id,
    invoices.customer_id,
    invoices.currency_code,
    invoices.total_minor,
    least(CAST(coalesce(parts.paid_minor, invoices.total_minor) AS BIGINT), invoices.total_minor) AS paid_minor,
    coalesce(parts.first_paid_at, invoices.paid_at) AS first_paid_at
FROM read_parquet(getvariable('folder') || '/invoices.parquet') AS invoices
LEFT JOIN parts ON invoices.invoice_id = parts.invoice_id
WHERE invoices.status <> 'draft' AND (parts.invoice_id IS NOT NULL OR invoices.paid_at < getvariable('as_of_end'));

CREATE TEMP TABLE customer_leads AS
SELECT customer_id, lead_of(email) AS lead
FROM read_parquet(getvariable('folder') || '/customers.parquet');

CREATE TEMP TABLE valid_leads AS
SELECT lead, min(happened_at) AS valid_at
FROM (
    SELECT lead_of(email) AS lead, booked_at AS happened_at
    FROM read_parquet(getvariable('folder') || '/meetings.parquet')
    WHERE outcome <> 'canceled'

    UNION ALL

    SELECT lead_of(contacts.email), deals.closed_at
    FROM read_parquet(getvariable('folder') || '/deals.parquet') AS deals
    INNER JOIN read_parquet(getvariable('folder') || '/contacts.parquet') AS contacts
        ON deals.contact_id = contacts.contact_id
    WHERE deals.is_won

    UNION ALL

    SELECT customer_leads.lead, paid_invoices.first_paid_at
    FROM paid_invoices
    INNER JOIN customer_leads ON paid_invoices.customer_id = customer_leads.customer_id
) AS events
WHERE happened_at < getvariable('as_of_end')
GROUP BY lead;

-- A promotion code counts before a link; of one type the last touch, ties by id.
CREATE TEMP TABLE lead_partners AS
SELECT
    valid_leads.lead,
    max_by(
        codes.partner_id,
        {'is_code': touches.touch_type = 'promotion_code', 'at': touches.occurred_at, 'id': touches.touchpoint_id}
    ) AS partner_id
FROM read_parquet(getvariable('folder') || '/touchpoints.parquet') AS touches
INNER JOIN read_parquet(getvariable('folder') || '/partner_codes.parquet') AS codes ON touches.code = codes.code
INNER JOIN read_parquet(getvariable('folder') || '/product_events.parquet') AS signups
    ON touches.anonymous_id = signups.anonymous_id
INNER JOIN valid_leads
    ON
        lead_of(signups.email) = valid_leads.lead
        AND touches.occurred_at BETWEEN valid_leads.valid_at - to_hours(90 * 24) AND valid_leads.valid_at
GROUP BY valid_leads.lead;

CREATE TEMP TABLE paid_lines AS
SELECT
    lines.invoice_line_id,
    lines.invoice_id,
    lines.amount_minor,
    lines.discount_minor,
    lines.tax_minor,
    lines.period_start,
    paid_invoices.customer_id,
    paid_invoices.currency_code,
    paid_invoices.total_minor,
    paid_invoices.paid_minor,
    paid_invoices.first_paid_at
FROM read_parquet(getvariable('folder') || '/invoice_lines.parquet') AS lines
INNER JOIN paid_invoices ON lines.invoice_id = paid_invoices.invoice_id;

CREATE TEMP TABLE anchors AS
SELECT
    customer_id,
    local_date(
        min_by(period_start, {'paid_at': first_paid_at, 'starts_at': period_start, 'id': invoice_line_id})
    ) AS anchor_date
FROM paid_lines
WHERE amount_minor > 0 AND paid_minor > 0
GROUP BY customer_id;

-- Rates are of weekdays: each day has the newest on or before it.
CREATE TEMP TABLE rates AS
WITH days AS (
    SELECT CAST(day AS DATE) AS day
    FROM range(TIMESTAMP '2023-02-06', CAST(getvariable('as_of_end') AS TIMESTAMP), INTERVAL 1 DAY) AS days (day)
),

quoted AS (
    SELECT
        days.day,
        fx_rates.currency_code,
        fx_rates.rate,
        CASE fx_rates.currency_code WHEN 'JPY' THEN 1 ELSE 100 END AS minor_per_major
    FROM days
    CROSS JOIN (VALUES ('USD'), ('JPY')) AS currencies (currency_code)
    ASOF INNER JOIN read_parquet(getvariable('folder') || '/fx_rates.parquet') AS fx_rates
        ON currencies.currency_code = fx_rates.currency_code AND days.day >= fx_rates.rate_date

    UNION ALL

    SELECT day, 'EUR', 1, 100
    FROM days
)

SELECT
    earned.day,
    earned.currency_code,
    paid.currency_code AS payout_currency_code,
    CAST(paid.rate * 10000 AS HUGEINT) * paid.minor_per_major AS numerator,
    CAST(earned.rate * 10000 AS HUGEINT) * earned.minor_per_major AS denominator
FROM quoted AS earned
INNER JOIN quoted AS paid ON earned.day = paid.day;

-- What went back, on the whole invoice and on single lines.
CREATE TEMP TABLE refunds AS
SELECT invoice_id, invoice_line_id, CAST(sum(amount_minor) AS BIGINT) AS refunded_minor
FROM read_parquet(getvariable('folder') || '/refunds.parquet')
WHERE refunded_at < getvariable('as_of_end') AND status = 'succeeded'
GROUP BY invoice_id, invoice_line_id;

CREATE TABLE ledger AS
WITH earned AS (
    SELECT
        paid_lines.*,
        lead_partners.partner_id,
        partners.payout_currency AS payout_currency_code,
        rounded(
            wide(paid_lines.amount_minor - paid_lines.discount_minor) * 200000 * paid_lines.paid_minor,
            wide(1000000) * paid_lines.total_minor
        ) AS earned_minor
    FROM paid_lines
    INNER JOIN anchors ON paid_lines.customer_id = anchors.customer_id
    INNER JOIN customer_leads ON paid_lines.customer_id = customer_leads.customer_id
    INNER JOIN lead_partners ON customer_leads.lead = lead_partners.lead
    INNER JOIN read_parquet(getvariable('folder') || '/partners.parquet') AS partners
        ON lead_partners.partner_id = partners.partner_id
    WHERE
        local_date(paid_lines.period_start) >= anchors.anchor_date
        AND local_date(paid_lines.period_start) < anchors.anchor_date + INTERVAL 12 MONTH
),

-- R1: of the invoice by its share, of a named line by the line's own; all of it once all that was paid went back.
given_back AS (
    SELECT
        earned.*,
        coalesce(on_invoice.invoice_part_minor, 0) AS invoice_part_minor,
        coalesce(on_invoice.returned_minor, 0) AS returned_minor,
        coalesce(on_line.refunded_minor, 0) AS line_part_minor,
        earned.amount_minor - earned.discount_minor + earned.tax_minor AS line_total_minor
    FROM earned
    LEFT JOIN (
        SELECT
            invoice_id,
            coalesce(sum(refunded_minor) FILTER (invoice_line_id IS NULL), 0) AS invoice_part_minor,
            sum(refunded_minor) AS returned_minor
        FROM refunds
        GROUP BY invoice_id
    ) AS on_invoice
        ON earned.invoice_id = on_invoice.invoice_id
    LEFT JOIN refunds AS on_line
        ON earned.invoice_line_id = on_line.invoice_line_id
),

taken AS (
    SELECT
        *,
        CAST(sign(earned_minor) AS BIGINT) * least(
            abs(earned_minor),
            CASE
                WHEN returned_minor = 0 THEN 0
                WHEN returned_minor >= paid_minor THEN abs(earned_minor)
                WHEN line_part_minor = 0 THEN rounded(wide(abs(earned_minor)) * invoice_part_minor, wide(paid_minor))
                ELSE rounded(
                    wide(abs(earned_minor))
                    * (invoice_part_minor * line_total_minor + wide(line_part_minor) * total_minor),
                    wide(paid_minor) * line_total_minor
                )
            END
        ) AS taken_minor
    FROM given_back
)

SELECT
    taken.invoice_line_id,
    taken.partner_id,
    taken.currency_code,
    taken.payout_currency_code,
    taken.first_paid_at,
    taken.earned_minor,
    taken.taken_minor,
    rounded(wide(taken.earned_minor) * rates.numerator, rates.denominator) AS payout_earned_minor,
    rounded(wide(taken.taken_minor) * rates.numerator, rates.denominator) AS payout_taken_minor
FROM taken
INNER JOIN rates
    ON
        taken.currency_code = rates.currency_code
        AND taken.payout_currency_code = rates.payout_currency_code
        AND local_date(taken.first_paid_at) = rates.day
WHERE taken.earned_minor <> 0;

CREATE TABLE partner_totals AS
SELECT
    partner_id,
    currency_code,
    payout_currency_code,
    count(*) AS lines,
    CAST(sum(earned_minor) AS BIGINT) AS earned_minor,
    CAST(sum(taken_minor) AS BIGINT) AS taken_minor,
    CAST(sum(payout_earned_minor) AS BIGINT) AS payout_earned_minor,
    CAST(sum(payout_taken_minor) AS BIGINT) AS payout_taken_minor
FROM ledger
GROUP BY partner_id, currency_code, payout_currency_code;
