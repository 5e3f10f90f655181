"""What an order, a durable intent, six hours of trading and a start of the program cost.

In the ordinary run of the tests each benchmark runs once and only its result is checked. To measure::

    pytest tests/benchmarks --benchmark-enable

The ratios are taken in one process and in turns, so that a busy machine slows both sides alike. The table at the end
of the run holds them against their goals; a goal that is missed fails nothing.
"""
