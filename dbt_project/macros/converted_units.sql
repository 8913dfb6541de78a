{# Engine units of a local amount at an exchange rate, rounded once; NULL without a rate. #}
{% macro converted_units(amount_local, exchange_rate) -%}
    {{ divide_integers(
        decimal_to_integer(amount_local, 12) ~ ' * ' ~ decimal_to_integer(exchange_rate, 12),
        '(1000000000000000000000000 // (select units_per_amount from ' ~ ref('stg_model__settings') ~ '))'
    ) }}
{%- endmacro %}
