select * from {{ source('model', 'service_rule_receivers') }}
