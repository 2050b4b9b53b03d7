"""Files and tables: what is kept, where it lies, and the words all packages share.

Holds datasets (hashed Parquet), artifacts (named by their content), and the metadata in DuckDB, which one
process owns. It knows no queue, no screen and no model library. `records` and `errors` import the standard
library alone; `automl` may import these two and nothing else of this package.

To add a file format: one row in `formats/__init__.py`. To add a table of metadata: one numbered step in
`migrations/` and one module of functions named after the table.
"""
