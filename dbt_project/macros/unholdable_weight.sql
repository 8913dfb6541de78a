{#
  The weight that stands for one that no total could hold: above 2^112, so that the guards refuse it.
#}
{% macro unholdable_weight() -%}
    5200000000000000000000000000000000
{%- endmacro %}
