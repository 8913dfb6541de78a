{#
  How sure a sender's split is, as a quality_rank: as sure as the least sure of its quantities, since
  every share rests on all of them. Shares that somebody declared (fixed, even) have no quantity; they
  are an estimate of use, unless there is one receiver and nothing to estimate.

  quality       driver_quality of the weight
  quantity      quantity of the weight; null where no driver gave it
  receiver      what the weight is for
  partition_by  columns that name the sender
#}
{% macro split_quality_rank(quality, quantity, receiver, partition_by) -%}
    greatest(
        max({{ quality_rank(quality) }}) over (partition by {{ partition_by }}),
        case
            when min({{ receiver }}) over (partition by {{ partition_by }})
                <> max({{ receiver }}) over (partition by {{ partition_by }})
                then max(case when {{ quality }} = 'measured' and {{ quantity }} is null then 1 else 0 end)
                    over (partition by {{ partition_by }})
            else 0
        end
    )
{%- endmacro %}
