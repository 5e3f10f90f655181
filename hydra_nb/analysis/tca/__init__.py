"""What executions cost, and why: transaction cost analysis of fills, quotes and trades."""
