"""Deployment certificates."""
