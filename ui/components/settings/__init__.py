"""The views of the Settings page: what is in force, who may come in, what is kept, and what this is."""
