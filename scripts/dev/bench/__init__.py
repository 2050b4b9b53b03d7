"""The benchmark: what the engine makes of real tables, beside the defaults of two good libraries."""
