{#
  The contact and the company of each record of one type in HubSpot, as the CTE `main_records` (source,
  from_id, contact_id, company_id); use it among the CTEs of a model.
#}
{% macro main_records(from_type) -%}
associations as (

    select * from {{ ref('stg_hubspot__associations') }}
    where from_type = '{{ from_type }}'

),

newest_arrivals as (

    select
        source,
        from_id,
        to_type,
        max(arrival) as arrival
    from associations
    group by source, from_id, to_type

),

-- Of several associated records the one labelled as the main one counts, else the smallest id.
main_records as (

    select
        associations.source,
        associations.from_id,
        min_by(
            associations.to_id,
            {'is_other': not associations.is_primary, 'length': length(associations.to_id), 'id': associations.to_id}
        ) filter (where associations.to_type = 'contact') as contact_id,
        min_by(
            associations.to_id,
            {'is_other': not associations.is_primary, 'length': length(associations.to_id), 'id': associations.to_id}
        ) filter (where associations.to_type = 'company') as company_id
    from associations
    inner join newest_arrivals
        on
            associations.source = newest_arrivals.source
            and associations.from_id = newest_arrivals.from_id
            and associations.to_type = newest_arrivals.to_type
            and associations.arrival = newest_arrivals.arrival
    where associations.to_id is not null
    group by associations.source, associations.from_id

)
{%- endmacro %}
