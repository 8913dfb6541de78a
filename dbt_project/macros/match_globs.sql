{# True where `globs` is null (no condition) or one of its patterns matches `value`. #}
{% macro match_globs(globs, value) -%}
    (
        {{ globs }} is null
        or len(list_filter({{ globs }}, lambda pattern: coalesce({{ value }}, '') glob pattern)) > 0
    )
{%- endmacro %}
