{#
  The senders whose weights allocate_by_driver may not split by, with what is wrong.

  weights         relation with weight, weight_from, weight_to, weight_total per receiver
  sender          its columns that name a sender; scenario, period and version are added
  expected_total  what the weights of every sender sum to; null where that is free

  Sound weights are positive and follow each other without gap or overlap from 0 to their total.
  Their total is below 2^112, up to where multiply_and_divide is exact for every amount.
#}
{% macro find_unsound_weights(weights, sender, expected_total='null') -%}
    {% set key = ['scenario_id', 'period_id', 'version'] + sender %}
    with chained as (
        select
            {% for column in key %}
            {{ column }},
            {% endfor %}
            weight,
            weight_from,
            weight_to,
            weight_total,
            lag(weight_to, 1, 0) over (partition by {{ key | join(', ') }} order by weight_to) as previous_to
        from {{ weights }}
    ),

    senders as (
        select
            {% for column in key %}
            {{ column }},
            {% endfor %}
            min(weight) as smallest_weight,
            count(*) filter (where weight is null or weight_from is distinct from previous_to) as break_count,
            count(*) filter (where weight_to - weight_from is distinct from weight) as wrong_range_count,
            count(distinct weight_total) as total_count,
            max(weight_to) as last_weight_to,
            max(weight_total) as weight_total
        from chained
        group by all
    )

    select
        {% for column in key %}
        senders.{{ column }},
        {% endfor %}
        senders.smallest_weight,
        senders.break_count,
        senders.wrong_range_count,
        senders.last_weight_to,
        senders.weight_total
    from senders
    where
        coalesce(senders.smallest_weight, 0) <= 0
        or senders.break_count > 0
        or senders.wrong_range_count > 0
        or senders.total_count <> 1
        or senders.last_weight_to is distinct from senders.weight_total
        or senders.weight_total <> {{ expected_total }}
        or senders.weight_total >= 5192296858534827628530496329220096
{%- endmacro %}
