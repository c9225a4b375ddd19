-- The facts of the commission benchmark as drop files, in two deliveries: what is known at first_end, and
-- what is new or changed by second_end. Nothing is drawn at random: every value is a hash of a number.
-- Variables: folder, leads, touches, partners, first_end, second_end (UTC).

CREATE MACRO draw(number, salt, sides) AS CAST(hash(CAST(number AS BIGINT) * 64 + salt) % sides AS BIGINT);
CREATE MACRO utc(moment) AS timezone('UTC', moment);
CREATE MACRO seconds(count) AS to_seconds(CAST(count AS DOUBLE));
CREATE MACRO is_first(moment) AS moment < getvariable('first_end');
CREATE MACRO is_second(moment) AS moment >= getvariable('first_end') AND moment < getvariable('second_end');

-- Leads 0 to leads - 1 are known at first; the last hundredth comes with the second delivery. Every other one
-- of the first 43 % is a customer for 1 to 22 months within the 36; half of the customers still are one.
CREATE TABLE leads AS
WITH numbered AS (
    SELECT
        number,
        number >= getvariable('leads') AS is_new,
        number * 10000 < getvariable('leads') * 4348 AND number % 2 = 0 AS is_customer,
        number * 10 < getvariable('leads') * 4 OR number >= getvariable('leads') AS has_meeting,
        number * 10 < getvariable('leads') * 2 AS has_deal,
        1 + draw(number, 1, 22) AS cycles,
        draw(number, 2, 2) = 0 AS is_running
    FROM range(getvariable('leads') + getvariable('leads') // 100) AS leads (number)
),

charged AS (
    SELECT
        *,
        TIMESTAMP '2023-04-01 06:00:00'
        + to_months(CAST(CASE WHEN is_running THEN 36 - cycles ELSE draw(number, 3, 37 - cycles) END AS INTEGER))
        + seconds(draw(number, 4, 28 * 86400)) AS charged_at
    FROM numbered
),

signed_up AS (
    SELECT
        *,
        CASE
            WHEN is_new THEN getvariable('first_end') + seconds(draw(number, 5, 8 * 86400))
            WHEN is_customer THEN charged_at - seconds(40 * 86400 + draw(number, 5, 20 * 86400))
            ELSE TIMESTAMP '2023-03-01' + seconds(draw(number, 5, 1090 * 86400))
        END AS signed_up_at,
        CASE WHEN draw(number, 6, 10) < 3 THEN 'gmail.com' ELSE concat('c', number, '.example') END AS domain
    FROM charged
)

SELECT
    *,
    signed_up_at + seconds(draw(number, 7, 15 * 86400)) AS booked_at,
    concat('person', number, '@', domain) AS email,
    concat(CASE WHEN domain = 'gmail.com' THEN 'person' ELSE 'buyer' END, number, '@', domain) AS buyer_email,
    CASE WHEN draw(number, 8, 100) < 60 THEN 'USD' WHEN draw(number, 8, 100) < 85 THEN 'EUR' ELSE 'JPY' END
        AS currency_code
FROM signed_up;

-- Monthly invoices; void 1 %, uncollectible 1 %, paid in part 1 %, in two parts 5 %, the others at once.
CREATE TABLE invoices AS
WITH cycled AS (
    SELECT *, unnest(range(cycles + CASE WHEN is_running THEN 1 ELSE 0 END)) AS cycle
    FROM leads
    WHERE is_customer
),

fated AS (
    SELECT
        number,
        cycle,
        cycles,
        number * 64 + cycle AS invoice_number,
        concat('in_', number, '_', cycle) AS invoice_id,
        currency_code,
        charged_at + to_months(CAST(cycle AS INTEGER)) AS issued_at,
        draw(number * 64 + cycle, 9, 1000) AS fate,
        issued_at + seconds(600 + draw(number * 64 + cycle, 10, 10 * 86400)) AS first_paid_at
    FROM cycled
)

SELECT
    *,
    CASE WHEN fate < 10 THEN 'void' WHEN fate < 20 THEN 'uncollectible' ELSE 'open' END AS unpaid_status,
    CASE
        WHEN fate >= 80 THEN first_paid_at
        WHEN fate >= 30 THEN first_paid_at + INTERVAL 15 DAY
    END AS paid_at
FROM fated
WHERE cycle < cycles OR (issued_at < getvariable('second_end') AND draw(invoice_number, 11, 2) = 0);

-- One to three lines: plan, usage of the month before, seats (once a setup, at times a negative proration).
CREATE TABLE lines AS
WITH slotted AS (
    SELECT invoices.*, unnest(range(1, 2 + draw(invoice_number, 12, 3))) AS slot
    FROM invoices
),

priced AS (
    SELECT
        *,
        invoice_number * 4 + slot AS line_number,
        CASE
            WHEN slot = 1 THEN 2000 + draw(number, 13, 48000)
            WHEN slot = 2 THEN 500 + draw(line_number, 14, 8500)
            WHEN cycle > 0 AND draw(line_number, 15, 50) = 0 THEN -100 - draw(line_number, 14, 800)
            ELSE 1000 + draw(line_number, 14, 20000)
        END AS amount_minor
    FROM slotted
),

discounted AS (
    SELECT
        *,
        CASE WHEN amount_minor > 0 AND draw(line_number, 16, 5) = 0 THEN amount_minor // 10 ELSE 0 END
            AS discount_minor
    FROM priced
)

SELECT
    *,
    (amount_minor - discount_minor)
    * CASE currency_code WHEN 'USD' THEN 0 WHEN 'EUR' THEN 19 ELSE 10 END // 100 AS tax_minor
FROM discounted;

CREATE TABLE totals AS
SELECT invoice_number, CAST(sum(amount_minor - discount_minor + tax_minor) AS BIGINT) AS total_minor
FROM lines
GROUP BY invoice_number;

-- As the billing system tells it at an instant: what is paid later is open until then.
CREATE MACRO invoices_at(told_at) AS TABLE
SELECT
    invoice_id,
    concat('cus_', number) AS customer_id,
    CASE WHEN paid_at < told_at THEN 'paid' ELSE unpaid_status END AS status,
    currency_code,
    utc(issued_at) AS issued_at,
    concat('sub_', number) AS subscription_id,
    utc(CASE WHEN paid_at < told_at THEN paid_at END) AS paid_at,
    total_minor,
    concat('INV-', invoice_number) AS external_number,
    issued_at AS first_told_at,
    paid_at AS told_paid_at
FROM invoices
INNER JOIN totals USING (invoice_number);

COPY (
    SELECT * EXCLUDE (first_told_at, told_paid_at)
    FROM invoices_at(getvariable('first_end'))
    WHERE is_first(first_told_at)
) TO (getvariable('folder') || '/first/invoices.parquet') (FORMAT PARQUET);
COPY (
    SELECT * EXCLUDE (first_told_at, told_paid_at)
    FROM invoices_at(getvariable('second_end'))
    WHERE is_second(first_told_at) OR is_second(told_paid_at)
) TO (getvariable('folder') || '/second/invoices-2.parquet') (FORMAT PARQUET);

CREATE VIEW told_lines AS
SELECT
    concat('il_', line_number) AS invoice_line_id,
    invoice_id,
    amount_minor,
    discount_minor,
    tax_minor,
    CASE
        WHEN slot = 1 THEN concat('plan_', draw(number, 17, 4))
        WHEN slot = 2 THEN 'usage'
        WHEN cycle = 0 THEN 'setup'
        ELSE 'seats'
    END AS product_id,
    utc(CASE WHEN slot = 2 AND cycle > 0 THEN issued_at - INTERVAL 1 MONTH ELSE issued_at END) AS period_start,
    utc(CASE WHEN slot = 2 AND cycle > 0 THEN issued_at ELSE issued_at + INTERVAL 1 MONTH END) AS period_end,
    amount_minor < 0 AS is_proration,
    issued_at AS told_at
FROM lines;

COPY (SELECT * EXCLUDE (told_at) FROM told_lines WHERE is_first(told_at))
TO (getvariable('folder') || '/first/invoice_lines.parquet') (FORMAT PARQUET);
COPY (SELECT * EXCLUDE (told_at) FROM told_lines WHERE is_second(told_at))
TO (getvariable('folder') || '/second/invoice_lines-2.parquet') (FORMAT PARQUET);

-- Only what is paid in parts has payments of its own; the others are paid when their invoice says so.
CREATE VIEW told_payments AS
SELECT
    concat('pay_', invoice_number, '_1') AS payment_id,
    invoice_id,
    total_minor * 6 // 10 AS amount_minor,
    first_paid_at AS told_at
FROM invoices
INNER JOIN totals USING (invoice_number)
WHERE fate BETWEEN 20 AND 79

UNION ALL

SELECT concat('pay_', invoice_number, '_2'), invoice_id, total_minor - total_minor * 6 // 10, paid_at
FROM invoices
INNER JOIN totals USING (invoice_number)
WHERE fate BETWEEN 30 AND 79;

COPY (
    SELECT * EXCLUDE (told_at), utc(told_at) AS paid_at FROM told_payments WHERE is_first(told_at)
) TO (getvariable('folder') || '/first/payments.parquet') (FORMAT PARQUET);
COPY (
    SELECT * EXCLUDE (told_at), utc(told_at) AS paid_at FROM told_payments WHERE is_second(told_at)
) TO (getvariable('folder') || '/second/payments-2.parquet') (FORMAT PARQUET);

-- 3 % of the lines: a quarter, half or all of the line, every third refund naming it.
CREATE VIEW told_refunds AS
SELECT
    concat('re_', line_number) AS refund_id,
    invoice_id,
    greatest((amount_minor - discount_minor + tax_minor) * (1 << draw(line_number, 18, 3)) // 4, 1) AS amount_minor,
    paid_at + seconds(3600 + draw(line_number, 19, 60 * 86400)) AS told_at,
    'succeeded' AS status,
    CASE WHEN line_number % 3 = 0 THEN concat('il_', line_number) END AS invoice_line_id
FROM lines
WHERE fate >= 30 AND amount_minor > 0 AND draw(line_number, 20, 100) < 3;

COPY (
    SELECT * EXCLUDE (told_at), utc(told_at) AS refunded_at FROM told_refunds WHERE is_first(told_at)
) TO (getvariable('folder') || '/first/refunds.parquet') (FORMAT PARQUET);
COPY (
    SELECT * EXCLUDE (told_at), utc(told_at) AS refunded_at FROM told_refunds WHERE is_second(told_at)
) TO (getvariable('folder') || '/second/refunds-2.parquet') (FORMAT PARQUET);

CREATE MACRO subscriptions_at(told_at) AS TABLE
SELECT
    concat('sub_', number) AS subscription_id,
    concat('cus_', number) AS customer_id,
    CASE WHEN is_running OR ended_at >= told_at THEN 'active' ELSE 'canceled' END AS status,
    utc(charged_at) AS started_at,
    utc(CASE WHEN NOT is_running AND ended_at < told_at THEN ended_at END) AS ended_at,
    CASE WHEN NOT is_running THEN ended_at END AS told_ended_at
FROM (SELECT *, charged_at + to_months(CAST(cycles AS INTEGER)) AS ended_at FROM leads WHERE is_customer);

COPY (SELECT * EXCLUDE (told_ended_at) FROM subscriptions_at(getvariable('first_end')))
TO (getvariable('folder') || '/first/subscriptions.parquet') (FORMAT PARQUET);
COPY (
    SELECT * EXCLUDE (told_ended_at) FROM subscriptions_at(getvariable('second_end')) WHERE is_second(told_ended_at)
) TO (getvariable('folder') || '/second/subscriptions-2.parquet') (FORMAT PARQUET);

COPY (
    SELECT
        concat('cus_', number) AS customer_id,
        utc(charged_at - INTERVAL 1 HOUR) AS created_at,
        concat(CASE WHEN domain = 'gmail.com' THEN 'person' ELSE 'billing' END, number, '@', domain) AS email,
        CASE currency_code WHEN 'USD' THEN 'US' WHEN 'EUR' THEN 'DE' ELSE 'JP' END AS country
    FROM leads
    WHERE is_customer
) TO (getvariable('folder') || '/first/customers.parquet') (FORMAT PARQUET);

CREATE VIEW told_events AS
SELECT
    concat('ev_', number) AS event_id,
    'signup' AS name,
    utc(signed_up_at) AS occurred_at,
    email,
    concat('device', number) AS anonymous_id,
    is_new
FROM leads;

COPY (SELECT * EXCLUDE (is_new) FROM told_events WHERE NOT is_new)
TO (getvariable('folder') || '/first/product_events.parquet') (FORMAT PARQUET);
COPY (SELECT * EXCLUDE (is_new) FROM told_events WHERE is_new)
TO (getvariable('folder') || '/second/product_events-2.parquet') (FORMAT PARQUET);

CREATE VIEW told_meetings AS
SELECT
    concat('me_', number) AS meeting_id,
    utc(booked_at) AS booked_at,
    utc(booked_at + INTERVAL 1 DAY) AS starts_at,
    CASE WHEN draw(number, 21, 10) < 8 THEN 'held' WHEN draw(number, 21, 10) < 9 THEN 'no_show' ELSE 'canceled' END
        AS outcome,
    email,
    is_new
FROM leads
WHERE has_meeting AND booked_at + INTERVAL 1 DAY < getvariable('second_end');

COPY (SELECT * EXCLUDE (is_new) FROM told_meetings WHERE NOT is_new)
TO (getvariable('folder') || '/first/meetings.parquet') (FORMAT PARQUET);
COPY (SELECT * EXCLUDE (is_new) FROM told_meetings WHERE is_new)
TO (getvariable('folder') || '/second/meetings-2.parquet') (FORMAT PARQUET);

COPY (
    SELECT
        concat('con_', number) AS contact_id,
        buyer_email AS email,
        utc(booked_at + INTERVAL 1 HOUR) AS created_at,
        'rep@vendor.example' AS owner_email
    FROM leads
    WHERE has_deal
) TO (getvariable('folder') || '/first/contacts.parquet') (FORMAT PARQUET);

-- A customer's deal was won before the first charge; of the others two in five are lost, a few of them late.
CREATE VIEW told_deals AS
SELECT
    number,
    booked_at + INTERVAL 1 DAY + seconds(draw(number, 22, 4 * 86400)) AS made_at,
    CASE
        WHEN is_customer OR draw(number, 23, 100) < 40 THEN made_at + seconds(5 * 86400 + draw(number, 24, 864000))
        WHEN draw(number, 23, 100) = 40 THEN getvariable('first_end') + seconds(draw(number, 24, 8 * 86400))
    END AS ended_at,
    is_customer,
    20000 + draw(number, 25, 480000) AS amount_minor,
    currency_code
FROM leads
WHERE has_deal;

CREATE MACRO deals_at(told_at) AS TABLE
SELECT
    concat('deal_', number) AS deal_id,
    CASE WHEN ended_at >= told_at OR ended_at IS NULL THEN 'proposal' WHEN is_customer THEN 'won' ELSE 'lost' END
        AS stage,
    utc(made_at) AS created_at,
    concat('con_', number) AS contact_id,
    amount_minor,
    currency_code,
    utc(CASE WHEN ended_at < told_at THEN ended_at END) AS closed_at,
    is_customer AND ended_at < told_at AS is_won,
    coalesce(NOT is_customer AND ended_at < told_at, false) AS is_lost,
    'rep@vendor.example' AS owner_email,
    utc(coalesce(CASE WHEN ended_at < told_at THEN ended_at END, made_at)) AS updated_at,
    ended_at AS told_ended_at
FROM told_deals;

COPY (SELECT * EXCLUDE (told_ended_at) FROM deals_at(getvariable('first_end')))
TO (getvariable('folder') || '/first/deals.parquet') (FORMAT PARQUET);
COPY (SELECT * EXCLUDE (told_ended_at) FROM deals_at(getvariable('second_end')) WHERE is_second(told_ended_at))
TO (getvariable('folder') || '/second/deals-2.parquet') (FORMAT PARQUET);

-- Clicks over the 110 days that end ten days after the signup, so that some are before the window and some
-- after the valid event; one in ten uses a promotion code. Some partners bring far more than others.
CREATE VIEW told_touches AS
WITH numbered AS (
    SELECT
        number AS touch_number,
        number >= getvariable('touches') AS is_new,
        CASE
            WHEN is_new THEN getvariable('leads') + draw(number, 26, getvariable('leads') // 100)
            ELSE draw(number, 26, getvariable('leads'))
        END AS lead_number,
        draw(number, 27, 10) = 0 AS is_code,
        draw(number, 28, 1 + draw(number, 29, getvariable('partners'))) AS partner_number
    FROM range(getvariable('touches') + getvariable('touches') // 100) AS touches (number)
)

SELECT
    concat('t_', touch_number) AS touchpoint_id,
    utc(
        CASE
            WHEN numbered.is_new THEN signed_up_at - seconds(60 + draw(touch_number, 30, 20 * 86400))
            ELSE signed_up_at + INTERVAL 10 DAY - seconds(draw(touch_number, 30, 110 * 86400))
        END
    ) AS occurred_at,
    CASE WHEN is_code THEN 'promotion_code' ELSE 'referral_link' END AS touch_type,
    concat(CASE WHEN is_code THEN 'PROMO' ELSE 'LINK' END, partner_number) AS code,
    concat('device', lead_number) AS anonymous_id,
    numbered.is_new
FROM numbered
INNER JOIN leads ON numbered.lead_number = leads.number;

COPY (SELECT * EXCLUDE (is_new) FROM told_touches WHERE NOT is_new)
TO (getvariable('folder') || '/first/touchpoints.parquet') (FORMAT PARQUET);
COPY (SELECT * EXCLUDE (is_new) FROM told_touches WHERE is_new)
TO (getvariable('folder') || '/second/touchpoints-2.parquet') (FORMAT PARQUET);

COPY (
    SELECT
        concat('p', number) AS partner_id,
        concat('Partner ', number) AS name,
        concat('owner@p', number, '.example') AS email,
        concat('p', number, '.example') AS company_domain,
        CASE number % 3 WHEN 0 THEN 'standard' WHEN 1 THEN 'tiered' ELSE 'affiliate' END AS "group",
        'active' AS status,
        CASE WHEN number % 10 < 6 THEN 'USD' WHEN number % 10 < 9 THEN 'EUR' ELSE 'JPY' END AS payout_currency,
        DATE '2022-06-01' AS joined_at
    FROM range(getvariable('partners')) AS partners (number)
) TO (getvariable('folder') || '/first/partners.parquet') (FORMAT PARQUET);

COPY (
    SELECT concat('LINK', number) AS code, concat('p', number) AS partner_id, 'referral_link' AS code_type
    FROM range(getvariable('partners')) AS partners (number)

    UNION ALL

    SELECT concat('PROMO', number), concat('p', number), 'promotion_code'
    FROM range(getvariable('partners')) AS partners (number)
) TO (getvariable('folder') || '/first/partner_codes.parquet') (FORMAT PARQUET);

COPY (
    SELECT product_id, product_id AS name, kind
    FROM (
        VALUES
        ('plan_0', 'recurring'), ('plan_1', 'recurring'), ('plan_2', 'recurring'), ('plan_3', 'recurring'),
        ('seats', 'recurring'), ('usage', 'usage'), ('setup', 'setup')
    ) AS products (product_id, kind)
) TO (getvariable('folder') || '/first/products.parquet') (FORMAT PARQUET);

-- Rates of weekdays only.
CREATE VIEW told_rates AS
SELECT
    CAST(day AS DATE) AS rate_date,
    currency_code,
    CASE currency_code
        WHEN 'USD' THEN CAST(10500 + draw(epoch(day), 31, 1000) AS DECIMAL(12, 4)) * CAST(0.0001 AS DECIMAL(4, 4))
        ELSE CAST(15000 + draw(epoch(day), 31, 1500) AS DECIMAL(12, 4)) * CAST(0.01 AS DECIMAL(4, 4))
    END AS rate
FROM range(TIMESTAMP '2023-02-01', getvariable('second_end'), INTERVAL 1 DAY) AS days (day)
CROSS JOIN (VALUES ('USD'), ('JPY')) AS currencies (currency_code)
WHERE dayofweek(day) BETWEEN 1 AND 5;

COPY (SELECT * FROM told_rates WHERE is_first(rate_date))
TO (getvariable('folder') || '/first/fx_rates.parquet') (FORMAT PARQUET);
COPY (SELECT * FROM told_rates WHERE is_second(rate_date))
TO (getvariable('folder') || '/second/fx_rates-2.parquet') (FORMAT PARQUET);
