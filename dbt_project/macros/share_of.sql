{# part / whole as decimal(9, 6); NULL where there is no whole. For counts and minutes, not money. #}
{% macro share_of(part, whole) -%}
    case when ({{ whole }}) > 0 then cast(cast({{ part }} as double) / ({{ whole }}) as decimal(9, 6)) end
{%- endmacro %}
