{#
  Columns weight_from, weight_to, weight_total of a set of integer weights: the running totals
  that allocate_by_driver splits by. `partition_by` names the sender, `order_by` fixes the order of
  the receivers, so that the same input always gives the same cents.
#}
{% macro weight_ranges(weight, partition_by, order_by) -%}
    sum({{ weight }}) over (
        partition by {{ partition_by }} order by {{ order_by }}
        rows between unbounded preceding and current row
    ) - {{ weight }} as weight_from,
    sum({{ weight }}) over (
        partition by {{ partition_by }} order by {{ order_by }}
        rows between unbounded preceding and current row
    ) as weight_to,
    sum({{ weight }}) over (partition by {{ partition_by }}) as weight_total
{%- endmacro %}
