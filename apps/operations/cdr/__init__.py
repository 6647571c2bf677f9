"""The switch's own call records, the safety net: ``record`` reads a file, ``sweep`` takes what the engine missed."""
