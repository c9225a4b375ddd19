{#
  Credits as a list of (partner_id, credit_ppm), by partner: the form in which a lead's whole split is
  compared, pinned and written into explanations.
#}
{% macro credit_list(partner_id, credit_ppm) -%}
    {{ return(adapter.dispatch('credit_list', 'partnerledger')(partner_id, credit_ppm)) }}
{%- endmacro %}

{% macro default__credit_list(partner_id, credit_ppm) -%}
    list({'partner_id': {{ partner_id }}, 'credit_ppm': cast({{ credit_ppm }} as integer)} order by {{ partner_id }})
{%- endmacro %}

{% macro no_credits() -%}
    cast([] as struct(partner_id varchar, credit_ppm integer)[])
{%- endmacro %}

{# The list as it stands in an explanation; NULL where there is none. #}
{% macro parsed_credits(text_expression) -%}
    cast(json({{ text_expression }}) as struct(partner_id varchar, credit_ppm integer)[])
{%- endmacro %}

{# A partner's credit in a list; 0 where it has none. #}
{% macro credit_of(credits, partner_id) -%}
    coalesce(
        list_extract(list_filter({{ credits }}, lambda credit: credit.partner_id = {{ partner_id }}), 1).credit_ppm, 0
    )
{%- endmacro %}

{# One row per partner of a list: columns partner_id and credit_ppm. #}
{% macro unnested_credits(credits) -%}
    unnest({{ credits }}, recursive := true)
{%- endmacro %}

{#
  M3: a partner's part of an amount that is split over all partners of a list, by largest remainder, ties by
  partner; a negative amount by its absolute value. The parts of all partners sum to the amount exactly.
#}
{% macro split_share(amount, credits, partner_id, credit_ppm) -%}
    {{ return(adapter.dispatch('split_share', 'partnerledger')(amount, credits, partner_id, credit_ppm)) }}
{%- endmacro %}

{% macro default__split_share(amount, credits, partner_id, credit_ppm) -%}
    case
        when {{ credit_ppm }} = 1000000 then cast({{ amount }} as bigint)
        else cast(
            sign({{ amount }}) * (
                ({{ wide('abs(' ~ amount ~ ')') }} * {{ credit_ppm }}) // 1000000
                + case
                    when
                        len(list_filter(
                            {{ credits }},
                            lambda other:
                                ({{ wide('abs(' ~ amount ~ ')') }} * other.credit_ppm) % 1000000
                                > ({{ wide('abs(' ~ amount ~ ')') }} * {{ credit_ppm }}) % 1000000
                                or (
                                    ({{ wide('abs(' ~ amount ~ ')') }} * other.credit_ppm) % 1000000
                                    = ({{ wide('abs(' ~ amount ~ ')') }} * {{ credit_ppm }}) % 1000000
                                    and other.partner_id < {{ partner_id }}
                                )
                        )) < abs({{ amount }}) - list_sum(list_transform(
                            {{ credits }},
                            lambda other: ({{ wide('abs(' ~ amount ~ ')') }} * other.credit_ppm) // 1000000
                        ))
                        then 1
                    else 0
                end
            ) as bigint
        )
    end
{%- endmacro %}

{#
  A6: what decides a customer or an event: columns credits, decided_by, ruled_at and is_overruled. Use it over a
  relation with those of int_attribution__decided_leads, has_earned, pinned_credits and scope_ruling_*.
#}
{% macro scope_decision() -%}
    case
        when scope_ruling_id is not null then scope_ruling_credits
        when has_earned then coalesce(pinned_credits, unruled_credits)
        else credits
    end as credits,
    case
        when scope_ruling_id is not null then 'ruling:' || scope_ruling_id
        when not has_earned then decided_by
        when coalesce(pinned_credits, unruled_credits) <> computed_credits then 'pinned'
        else 'computed'
    end as decided_by,
    case when scope_ruling_id is not null then scope_ruled_at end as ruled_at,
    case
        when scope_ruling_id is not null then scope_ruling_credits
        when has_earned then coalesce(pinned_credits, unruled_credits)
        else credits
    end <> computed_credits as is_overruled
{%- endmacro %}
