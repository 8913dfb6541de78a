{#
  What of a receiver's money rests on a driver of some quality or worse once it has passed the shared
  services: what rested on it before, and of the rest the part whose way passes such a driver.

  rested_units  what of the receiver's money rested on it before
  amount_units  all of the receiver's money
  doubt_weight  the part of `weight` that passes such a driver
  weight        the receiver's weight, positive
#}
{% macro add_doubted_units(rested_units, amount_units, doubt_weight, weight) -%}
    {{ rested_units }}
    + case
        when {{ doubt_weight }} = 0 or {{ rested_units }} = {{ amount_units }} then 0
        else {{ multiply_and_divide('(' ~ amount_units ~ ' - ' ~ rested_units ~ ')', doubt_weight, weight) }}
    end
{%- endmacro %}
