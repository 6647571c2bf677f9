"""A call back in queue: the place in line is kept, the customer's leg is not. See ``booking`` for its life."""
