"""Order manager: a sans-IO core that decides, and its asyncio shell that owns every task."""
