"""Alarms of the floor: what is wrong right now (``conditions``), and when that is worth a person's look (``watch``).

Pure; the clock is passed in. Raised and cleared with a delay and two thresholds, so that a figure that trembles around
one of them does not cry wolf. Thresholds and delays are in ``conditions``.
"""
