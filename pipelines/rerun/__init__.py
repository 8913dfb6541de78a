"""Run the compiled SQL of a published run again, in memory, with something changed."""
