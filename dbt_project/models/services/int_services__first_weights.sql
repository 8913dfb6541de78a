-- The weights of all service rules but those that split by what these have given the services.
{{ weigh_services(false, ref('fct_driver_quantities')) }}
