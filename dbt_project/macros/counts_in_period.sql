{# True where a record without a period of its own (an asset, a relation) counts in `period`: closed
   periods keep those that they were closed with. #}
{% macro counts_in_period(record, period) -%}
    (
        ({{ record }}.counts_from is null or {{ record }}.counts_from <= {{ period }}.period_start)
        and ({{ record }}.counts_until is null or {{ period }}.period_start < {{ record }}.counts_until)
    )
{%- endmacro %}
