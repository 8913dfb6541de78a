{#
  Engine units per unit of quantity as decimal(28, 10) in the reporting currency; NULL without a
  positive quantity. In integers: the amount has 8 decimals (for two-decimal currencies), the quantity
  6, the rate 10, so the numerator is moved by 10^8 and the rounding is the engine's own.
#}
{% macro unit_rate(amount_units, quantity) -%}
    case
        when {{ quantity }} > 0
            then cast(
                cast(
                    {{ divide_integers(
                        amount_units
                        ~ ' * (cast(power(10, 16) as hugeint) // (select units_per_amount from '
                        ~ ref('stg_model__settings') ~ '))',
                        decimal_to_integer(quantity, 6)
                    ) }}
                    as decimal(28, 0)
                ) * cast(0.0000000001 as decimal(10, 10))
                as decimal(38, 10)
            )
    end
{%- endmacro %}
