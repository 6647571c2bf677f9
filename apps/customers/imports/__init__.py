"""Customers from a file. In the order of a job's life: ``upload``, ``columns``, ``preview``, ``running``.

``encoding`` and ``tables`` turn bytes into rows of cells, ``rows`` turns cells into data or faults, ``writing`` turns
data into customers.
"""
