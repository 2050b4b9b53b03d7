"""Shows: the web pages, the REST API and the commands. Asks the runner for everything and computes nothing.

To add a page: one file in `pages/` and one row in PAGES (`navigation`). To add a route: one function in a
router of `api/`.
"""
