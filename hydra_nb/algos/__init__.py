"""Strategies: decide(state, event) gives a new state and actions; they neither wait, nor send, nor roll dice."""
