"""Models of order flow: markets to trade and rehearse in, each behind the one Protocol of `port`.

None of them waits, reads a clock, or draws from a generator that it was not given. What each leaves out
stands at the head of its file.
"""
