"""Properties are tested for what they say, not for how fast a busy machine runs them."""

from hypothesis import settings

settings.register_profile("freeswitch", deadline=None)
settings.load_profile("freeswitch")
