"""Moves work: queues on Redis, workers, lanes that run a study, and what the studio does beside its pages.

`client` is all that the screen may ask for and has no machine learning behind it. `events` and `facts` are
the only speakers of Redis streams; `settings` is the only reader of the environment, called by entry points.

To add a tier: one row in `tiers`. To add a setting: one row in `settings`. To add a kind of job: one function
in `jobs` and its name in the allow-list of `queue`.
"""
