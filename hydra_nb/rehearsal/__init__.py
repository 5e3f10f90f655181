"""Rehearsal: a plan run by the manager that will trade it, over many markets, before anything is sent."""
