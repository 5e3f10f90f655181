"""A gateway program as IB's is: the way to a market that lives on elsewhere, whatever becomes of this process.

Arguments: the port to listen on (0 for any), and the port of the simulated gateway behind it.
"""

import asyncio
import contextlib
import sys


async def relay(listen_port: int, *, market_port: int) -> None:
    """Pass bytes both ways, for every client; tell the port; then stay."""

    async def serve(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        market, to_market = await asyncio.open_connection("127.0.0.1", market_port)
        await asyncio.gather(_pass(client, to_market), _pass(market, to_client))

    server = await asyncio.start_server(serve, "127.0.0.1", listen_port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Until either side is closed."""
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    sink.close()


if __name__ == "__main__":
    asyncio.run(relay(int(sys.argv[1]), market_port=int(sys.argv[2])))
