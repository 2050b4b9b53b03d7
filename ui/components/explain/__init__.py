"""The views of the Explain page, one file each: `view(model)` draws it."""
