"""Parts that pages share: widgets that Streamlit lacks, and the few ways to show a record.

A component with its own script keeps it beside itself (`chart.py`, `chart.js`, `chart.css`).
"""
