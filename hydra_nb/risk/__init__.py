"""Pure checks over a snapshot, and the gate that every order passes."""
