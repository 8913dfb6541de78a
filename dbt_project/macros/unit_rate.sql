{#
  Engine units per unit of quantity as decimal(38, 10) in the reporting currency; NULL without a
  positive quantity. In integers: the amount has 8 decimals (for two-decimal currencies), the quantity
  12, the rate 10, so the numerator is moved by 10^14 and the rounding is the engine's own.
#}
{% macro unit_rate(amount_units, quantity) -%}
    case
        when {{ quantity }} > 0
            then {{ integer_to_decimal(
                multiply_and_divide(
                    '(' ~ amount_units ~ ')',
                    '(10000000000000000000000 // (select units_per_amount from ' ~ ref('stg_model__settings') ~ '))',
                    decimal_to_integer(quantity, 12)
                ), 10
            ) }}
    end
{%- endmacro %}
