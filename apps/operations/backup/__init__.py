"""Backups: one directory with a dump of the database, what recordings there were, and the spoken prompts.

``postgres`` runs PostgreSQL's own tools, ``manifest`` is what the directory says of itself, ``make`` and ``restore``
are the two ways.
"""
