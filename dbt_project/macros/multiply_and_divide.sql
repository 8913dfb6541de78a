{#
  first * second / divisor in integers, rounded half away from zero, wherever the result itself fits.

  first    integer of either sign
  second   integer, not negative, below 2^112
  divisor  integer, positive, below 2^112; 2^112 is 5.19 * 10^33

  Where a HUGEINT holds the product it is divided as it is. Elsewhere the whole part of
  first / divisor is multiplied, and what remains is divided as on paper: `second` in eight digits of
  14 bits, from the highest, each time the remainder before, moved by a digit, and the next product.
  A remainder is below 2^112 and a digit below 2^14, so that each sum stays below 2^127. The list of
  one gives the operands short names, and works them out once.
#}
{% macro multiply_and_divide(first, second, divisor) -%}
    {% set ns = namespace(step='0', quotient='abs(v.a) // v.d * v.b') -%}
    {% for place in [98, 84, 70, 56, 42, 28, 14, 0] -%}
    {% set ns.step = '(' ~ ns.step ~ ' % v.d * 16384 + abs(v.a) % v.d * ((v.b >> ' ~ place ~ ') & 16383))' -%}
    {% set ns.quotient = ns.quotient ~ ' + ' ~ ns.step ~ ' // v.d * ' ~ (2 ** place) -%}
    {% endfor -%}
    case
        when
            abs(cast({{ first }} as double)) * cast({{ second }} as double) + cast({{ divisor }} as double) <= 1.6e38
            then {{ divide_integers(first ~ ' * ' ~ second, divisor) }}
        when {{ first }} is not null and {{ second }} is not null
            then list_transform(
                [struct_pack(
                    a := cast({{ first }} as hugeint),
                    b := cast({{ second }} as hugeint),
                    d := cast({{ divisor }} as hugeint)
                )],
                lambda v: sign(v.a)
                * ({{ ns.quotient }} + ({{ ns.step }} % v.d + (v.d >> 1)) // v.d)
            )[1]
    end
{%- endmacro %}
