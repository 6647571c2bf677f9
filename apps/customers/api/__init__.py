"""Customers and their imports over REST."""
