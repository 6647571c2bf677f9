"""A switch that is not there: a model of FreeSWITCH in virtual time, with two faces.

``driver.py`` is the in-process face for seeded simulation, ``event_socket.py`` speaks Event Socket over TCP. Both
work on the same ``model.py``. What is modelled was seen on FreeSWITCH 1.11.1 (fixtures/event_socket).
"""
