-- Grain: one row per domain that many unrelated people share: it never joins people (F3).
select * from {{ source('program', 'program__shared_mail_domains') }}
