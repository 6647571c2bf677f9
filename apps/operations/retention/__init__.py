"""Forgetting what is old: what (``kinds``), how long (``periods``), in batches (``sweep``), and files (``files``)."""
