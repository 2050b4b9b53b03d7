"""The REST API under /api: one router per resource, one module of `bodies` per router.

To add a route: one function in its router, its bodies beside the others, and one row in ROUTES (`access`)
that says who may ask for it. To add a resource: one router, listed in ROUTERS (`application`). The answers
are what the Python client (`flowml.ui.client`) returns.
"""
