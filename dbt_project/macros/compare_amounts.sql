{#
  The keys whose amounts differ between two relations: key, both sums, their difference.

  arrived    relation (or subquery in brackets) with the amounts as they came in
  left       relation with the amounts as they go out
  keys       columns of both that identify an amount; scenario, period and version are added
  arrived_units, left_units  column with the amount in each

  A full outer join that takes null for a value, so that neither a key that only one side has nor
  an amount that became null can hide.
#}
{% macro compare_amounts(arrived, left, keys, arrived_units='amount_units', left_units='amount_units') -%}
    {% set columns = ['scenario_id', 'period_id', 'version'] + keys %}
    with arrived as (
        select
            {% for column in columns %}
            {{ column }},
            {% endfor %}
            sum({{ arrived_units }}) as arrived_units
        from {{ arrived }}
        group by all
    ),

    leaving as (
        select
            {% for column in columns %}
            {{ column }},
            {% endfor %}
            sum({{ left_units }}) as left_units
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
    where arrived.arrived_units is distinct from leaving.left_units
{%- endmacro %}
