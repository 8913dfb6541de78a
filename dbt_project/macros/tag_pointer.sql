{# Where the tag `key` lies in the JSON object of a line: a JSON Pointer (RFC 6901). #}
{% macro tag_pointer(key) -%}
    '/' || replace(replace({{ key }}, '~', '~0'), '/', '~1')
{%- endmacro %}
