"""Plain machine learning: frames in, records, arrays and ONNX files out.

Knows no Redis, RQ, DuckDB or Streamlit; of storage it imports `records` and `errors` only.

To add an algorithm: one row in a file of `algorithms/`, listed in ALGORITHMS. To add a metric or a splitter:
one row in METRICS or SPLITTERS. A test over each table notices what was forgotten.
"""
