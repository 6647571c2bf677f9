"""The KPIs as named, versioned, pure functions: one file a concept, sources in each.

``None`` stands for "no value": nothing was counted that the figure could be about. A formula that changes its meaning
gets a new version, so that a printed figure can always be computed again.
"""
