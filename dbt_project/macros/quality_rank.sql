{#
  The rank of a driver quality: measured 0, estimated 1, stale 2, fallback 3; a name that is none of
  them ranks last, so that what is not known never counts as measured.
#}
{% macro quality_rank(quality) -%}
    case {{ quality }} when 'measured' then 0 when 'estimated' then 1 when 'stale' then 2 else 3 end
{%- endmacro %}
