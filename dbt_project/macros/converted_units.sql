{#
  Engine units of a local amount at an exchange rate, rounded once; NULL without a rate. Amount and
  rate have twelve decimals each; `units_per_amount` is that of the settings, by itself where no column
  holds it.
#}
{% macro converted_units(amount_local, exchange_rate, units_per_amount=none) -%}
    {{ multiply_and_divide(
        decimal_to_integer(amount_local, 12),
        decimal_to_integer(exchange_rate, 12),
        '(1000000000000000000000000 // '
        ~ (units_per_amount or '(select units_per_amount from ' ~ ref('stg_model__settings') ~ ')') ~ ')'
    ) }}
{%- endmacro %}
