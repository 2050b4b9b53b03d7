"""Answers about a model that hold no number but those that were computed.

`statements` makes sentences of the numbers of a model; `report` puts them together as they are. A language
model may phrase them anew: `prompt` hands them over with every name from the table replaced (`aliases`), so
that no text of a table reaches it, and `checking` lets through the sentences whose names and numbers all
stand in the statements they cite.
"""
