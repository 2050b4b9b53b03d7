"""Charts as plain values: records in, a title, a sentence and a plotly figure as a dict out. No Streamlit.

Colours are written as names (`@text`, `@grid`, `@primary`, `@3` ...) that the component in
`components/chart` replaces by those of the theme the reader has chosen.
"""
