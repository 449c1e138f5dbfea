"""Fake model endpoints: what a real agent's command line needs from a model, on loopback, without a model."""
