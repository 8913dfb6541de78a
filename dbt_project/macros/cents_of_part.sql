{#
  A part of a charge line in cents, beside the cents of the line: rounded half away from zero, all of
  the line's cents where the part is all of it, and never beyond them where the part lies within it.

  part_units    engine units of the part
  amount_units  engine units of the line
  cost_cents    cents of the line
#}
{% macro cents_of_part(part_units, amount_units, cost_cents) -%}
    case
        when {{ part_units }} = {{ amount_units }} then {{ cost_cents }}
        when {{ part_units }} >= 0 and {{ part_units }} < {{ amount_units }}
            then least({{ divide_integers(part_units, 1000000) }}, {{ cost_cents }})
        when {{ part_units }} <= 0 and {{ part_units }} > {{ amount_units }}
            then greatest({{ divide_integers(part_units, 1000000) }}, {{ cost_cents }})
        else {{ divide_integers(part_units, 1000000) }}
    end
{%- endmacro %}
