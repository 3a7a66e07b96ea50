"""The engines of a portal that was given no servers: PostgreSQL and Redis inside its own data folder.

Nothing here needs Django's settings; the settings ask `data`, and `portal.supervisor` starts what the other modules describe.
"""
