{#
  How sure a sender's split is, as a quality_rank: as sure as the least sure of its quantities, since
  every share rests on all of them. Shares that somebody declared (fixed, even) are an estimate of
  use, unless there is one receiver and nothing to estimate; the rest that they leave may rest on less.

  method        method of the rule
  quality       driver_quality of the weight
  receiver      what the weight is for
  partition_by  columns that name the sender
#}
{% macro split_quality_rank(method, quality, receiver, partition_by) -%}
    greatest(
        max({{ quality_rank(quality) }}) over (partition by {{ partition_by }}),
        case
            when
                {{ method }} in ('direct', 'fixed', 'even')
                and min({{ receiver }}) over (partition by {{ partition_by }})
                <> max({{ receiver }}) over (partition by {{ partition_by }})
                then 1
            else 0
        end
    )
{%- endmacro %}
