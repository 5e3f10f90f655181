"""The embedded simulated gateway: a thin futures market that speaks the TWS wire protocol."""
