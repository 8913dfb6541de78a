select * from {{ source('model', 'tower_rule_receivers') }}
