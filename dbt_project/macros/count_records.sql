{# A number of records in words: 1 record, 2 records. #}
{% macro count_records(count) -%}
    ({{ count }} || if({{ count }} = 1, ' record', ' records'))
{%- endmacro %}
