{#
  The keys whose amounts differ between two relations: key, both sums, their difference.

  arrived    relation (or subquery in brackets) with the amounts as they came in
  left       relation with the amounts as they go out
  keys       columns of both that identify an amount; scenario, period and version are added
  arrived_units, left_units  column with the amount in each

  A full outer join that takes null for a value, so that neither a key that only one side has nor
  an amount that became null can hide. No row is zero: lines that cancel each other, such as a detail
  feed before its posting, are no difference to a side that never had them.
#}
{% macro compare_amounts(arrived, left, keys, arrived_units='amount_units', left_units='amount_units') -%}
    {% set columns = ['scenario_id', 'period_id', 'version'] + keys %}
    with arrived as (
        select
            {% for column in columns %}
            {{ column }},
            {% endfor %}
            sum({{ arrived_units }}) as arrived_units,
            true as is_there
        from {{ arrived }}
        group by all
    ),

    leaving as (
        select
            {% for column in columns %}
            {{ column }},
            {% endfor %}
            sum({{ left_units }}) as left_units,
            true as is_there
        from {{ left }}
        group by all
    )

    select
        {% for column in columns %}
        coalesce(arrived.{{ column }}, leaving.{{ column }}) as {{ column }},
        {% endfor %}
        arrived.arrived_units,
        leaving.left_units,
        coalesce(leaving.left_units, 0) - coalesce(arrived.arrived_units, 0) as difference_units
    from arrived
    full outer join leaving
        on {% for column in columns %}
            {{ 'and ' if not loop.first }}arrived.{{ column }} is not distinct from leaving.{{ column }}
        {% endfor %}
    where
        if(arrived.is_there, arrived.arrived_units, 0)
        is distinct from if(leaving.is_there, leaving.left_units, 0)
{%- endmacro %}
