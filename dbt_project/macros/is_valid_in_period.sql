{# True where the half-open span of `rule` holds at the first day of `period`. #}
{% macro is_valid_in_period(rule, period) -%}
    (
        ({{ rule }}.valid_from is null or {{ rule }}.valid_from <= {{ period }}.period_start)
        and ({{ rule }}.valid_to is null or {{ period }}.period_start < {{ rule }}.valid_to)
    )
{%- endmacro %}
