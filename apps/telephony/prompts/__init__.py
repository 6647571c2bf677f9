"""Texts that callers hear, made into sound files: ``reader`` spells, ``speech`` speaks, ``library`` keeps."""
