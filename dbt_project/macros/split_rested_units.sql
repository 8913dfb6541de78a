{#
  The part of `rested_units` that falls to one receiver: of a sender's money, what rests on a driver
  of some quality or worse. Split as the money is, by allocate_by_driver; where all of the money rests
  on it, before or by this split, the part is the receiver's money, to the unit.

  rested_units  what rests on it at the sender
  sender_units  all of the sender's money
  part_units    the receiver's part of it
  is_raised     condition: this split is of that quality or worse
  weight_from, weight_to, weight_total  as for allocate_by_driver
#}
{% macro split_rested_units(
    rested_units, sender_units, part_units, is_raised, weight_from, weight_to, weight_total
) -%}
    case
        when {{ is_raised }} or {{ rested_units }} = {{ sender_units }} then {{ part_units }}
        when {{ rested_units }} = 0 then 0
        else {{ allocate_by_driver(rested_units, weight_from, weight_to, weight_total) }}
    end
{%- endmacro %}
