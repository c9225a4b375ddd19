{# The rule that decided about a candidate, in words that a partner understands (A4). #}
{% macro candidate_reason(rule) -%}
    case
        when {{ rule }} = 'A2:manual_ruling' then 'an approved ruling credits this partner'
        when {{ rule }} = 'A3:last_touch' then 'the last of the touches that compete'
        when {{ rule }} = 'A3:first_touch' then 'the first of the touches that compete'
        when {{ rule }} = 'A3:linear' then 'each touch that competes has the same share'
        when {{ rule }} = 'A3:position_based' then 'the first and the last touch have fixed shares, those between share the rest'
        when {{ rule }} = 'A3:time_decay' then 'a share that halves with each half-life of age'
        when {{ rule }} = 'A3:not_last_touch' then 'another partner''s touch came later'
        when {{ rule }} = 'A3:not_first_touch' then 'another partner''s touch came earlier'
        when {{ rule }} like 'A3:not_%' then 'the rest of the touches weighed so much more that nothing was left for it'
        when {{ rule }} = 'A3:collapsed' then 'the same partner''s next touch in a row stands for it'
        when {{ rule }} = 'A1:after_valid_event' then 'it came after the event that made the lead valid'
        when {{ rule }} = 'A1:before_touch_window' then 'it lies before the touch window'
        when {{ rule }} = 'A2:code_grace' then 'another partner''s link was used within the grace hours before the code'
        when {{ rule }} like 'A2:registration_%' then 'the deal registration is not approved: ' || substr({{ rule }}, 17)
        when {{ rule }} like 'A2:lower_type_than_%' then 'a touch of a higher type competes: ' || substr({{ rule }}, 20)
        when {{ rule }} like 'L4:%' then 'its submission was refused: ' || substr({{ rule }}, 4)
        when {{ rule }} = 'L1:own_domain' then 'the lead is of the programme''s own people'
        when {{ rule }} = 'L1:blocked' then 'every domain of the lead is blocked'
        when {{ rule }} = 'A6:pinned' then 'the lead has earned, and stays with the partner it earned for'
        when {{ rule }} = 'A6:ruling' then 'an approved ruling decided otherwise'
    end
{%- endmacro %}
