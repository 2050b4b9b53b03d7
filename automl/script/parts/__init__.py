"""Functions that scripts are put together from: numpy, polars and the library of the row, nothing of ours.

They say the same as the modules they are named after, in the shortest form that gives the same numbers. A
function of another module that stands on such libraries alone is taken as it is: import it here. A test
compares each row of ALGORITHMS with its script.
"""
