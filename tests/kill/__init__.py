"""The kill switch, with real gateways and kernels in processes of their own."""
