"""Today's figures: folded from facts as they come on top of a read of history, equal to a recount at rest.

``stretches`` says what the facts mean, ``tally`` counts it by quarter of an hour, ``today`` folds, ``figures`` applies
the tenant's formulas. All pure; ``apps.reports.recount`` reads the same tallies from PostgreSQL, ``apps.live.day_feed``
keeps the two in step.
"""
