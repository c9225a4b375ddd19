{#
  F1: the newest version of each source object, as known on the night's as_of.
  relation: landed versions with source, arrival, row_number.
  keys: the columns that identify the object inside its source.
  updated_at: name of the version's own instant, or none: then arrival decides.
  Versions are folded in arrival order; a version replaces the one before it unless both carry
  updated_at and its own is older. That fold equals: drop everything before the last version
  without updated_at, then take the newest updated_at, ties to the latest arrival.
  A version that says it was written after as_of does not exist yet (M6).
#}
{% macro newest_versions(relation, keys, updated_at=none) -%}
    select * exclude (version_rank)
    from (
        select
            versions.*,
            row_number() over (
                partition by source, {{ keys | join(', ') }}
                order by
                    {% if updated_at -%}
                    case when version_number >= coalesce(last_undated_version, 0) then 0 else 1 end,
                    {{ updated_at }} desc nulls last,
                    {% endif -%}
                    arrival desc,
                    row_number desc
            ) as version_rank
        from (
            {%- if updated_at %}
            select
                numbered.*,
                max(case when {{ updated_at }} is null then version_number end) over (
                    partition by source, {{ keys | join(', ') }}
                ) as last_undated_version
            from (
                select
                    {{ relation }}.*,
                    row_number() over (
                        partition by source, {{ keys | join(', ') }}
                        order by arrival, row_number
                    ) as version_number
                from {{ relation }}
                where
                    {{ updated_at }} is null
                    or {{ updated_at }} < (select as_of_end_at from {{ ref('stg_program__run') }})
            ) as numbered
            {%- else %}
            select * from {{ relation }}
            {%- endif %}
        ) as versions
    ) as ranked
    where version_rank = 1
{%- endmacro %}

{# Each object once over all sources: the source that sources.yml ranks first (F2). #}
{% macro best_ranked(relation, keys) -%}
    select * exclude (source_choice)
    from (
        select
            {{ relation }}.*,
            row_number() over (
                partition by {{ keys | join(', ') }}
                order by sources.source_rank
            ) as source_choice
        from {{ relation }}
        inner join {{ ref('stg_program__sources') }} as sources
            on {{ relation }}.source = sources.source
    ) as ranked
    where source_choice = 1
{%- endmacro %}

{#
  F2: what belongs to an invoice (payments, refunds, disputes, credit notes), counted once. Rows of an
  invoice that another source delivers too are read as rows of the invoice that counts; they count only
  where the counted invoice's own side delivers none. One id counts once per invoice.
  relation: rows with source, invoice_id and the key; key: the row's own id.
#}
{% macro counted_once(relation, key) -%}
    select * exclude (is_copy, source_rank, has_original, best_copy_rank, choice)
    from (
        select
            judged.*,
            row_number() over (
                partition by invoice_id, {{ key }}
                order by source_rank
            ) as choice
        from (
            select
                mapped.*,
                bool_or(not is_copy) over (partition by invoice_id) as has_original,
                min(source_rank) over (partition by invoice_id, is_copy) as best_copy_rank
            from (
                select
                    {{ relation }}.* exclude (invoice_id),
                    coalesce(duplicates.kept_invoice_id, {{ relation }}.invoice_id) as invoice_id,
                    duplicates.invoice_id is not null as is_copy,
                    sources.source_rank
                from {{ relation }}
                inner join {{ ref('stg_program__sources') }} as sources
                    on {{ relation }}.source = sources.source
                left join {{ ref('int_billing__duplicate_invoices') }} as duplicates
                    on
                        {{ relation }}.source = duplicates.source
                        and {{ relation }}.invoice_id = duplicates.invoice_id
            ) as mapped
        ) as judged
    ) as chosen
    where
        choice = 1
        and (not is_copy or (not has_original and source_rank = best_copy_rank))
{%- endmacro %}
