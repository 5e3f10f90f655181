"""The part of a desk that tries out the gateway it is connected to."""

import pandas as pd

from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.month_columns import SELFTEST
from hydra_nb.desk.running import Running
from hydra_nb.desk.selftest import Finding, Findings, Questions, Trial, try_contracts
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.errors import InvalidOrder


class Selftesting(Running):
    """What a trader should know of a gateway before trusting it."""

    async def selftest(self, symbol: str = "ZO", *, place_orders: bool = True) -> pd.DataFrame:
        """Try the connected gateway and account, and give one row a check; it takes about a minute.

        Two orders of one lot are sent, far below the market and inside the gate's collar, through preview, gate and
        journal like any other; one expires by itself, one is cancelled. A live account gets none. What fills is told
        and left to you. Interrupting the cell cancels what is at work.

        Parameters
        ----------
        symbol
            What quotes, margin and orders are tried in; the contracts of twelve thin futures are compared in any case.
        place_orders
            Whether to send the two orders.

        Returns
        -------
        pandas.DataFrame
            `check` `holds` `expected` `observed` `message` `seconds`. `holds` is NA where it could not be tried, with
            the reason in `message`; a check that fails raises nothing.
        """
        self._must_be_open()
        if not isinstance(symbol, str) or not symbol.strip():
            raise InvalidOrder(f"{symbol!r} names no future; give the broker's symbol, such as 'ZO'")
        rooms = self._rooms
        findings, questions = Findings(rooms.clock, account=self.account), Questions(rooms)
        await findings.take("server_version", questions.server_version, expected="a version that we read")
        await findings.take("account_kind", questions.account_kind, expected="paper or simulated")
        await findings.take("clock_skew", questions.clock_skew, expected="the time")
        await findings.take("account_values", questions.account_values, expected="equity and currency")
        await findings.take("positions", questions.positions, expected="a whole reply")
        await findings.take("open_orders", questions.open_orders, expected="a whole reply")
        await findings.take("executions", questions.executions, expected="a whole reply")
        await findings.take("reconciled", questions.reconciled, expected="nothing differs")
        await try_contracts(findings, broker=rooms.broker, clock=rooms.clock)
        contract = await self._month_tried(symbol, findings)
        if contract is not None:
            await self._try_market(contract, findings=findings, questions=questions)
            await self._try_orders(contract, findings=findings, wanted=place_orders)
        return make_frame(SELFTEST, findings.rows)

    async def _month_tried(self, symbol: str, findings: Findings) -> FutureContract | None:
        """The month that is tried, watched from now on; None where there is none."""
        found: list[FutureContract] = []

        async def look() -> Finding:
            found.append(await self.instrument(symbol))
            words = self._notices_of_month(symbol)
            return Finding(
                holds=True, expected="a month", observed=found[0].local_symbol, message=words[0] if words else ""
            )

        await findings.take("month", look, expected="a month")
        return found[0] if found else None

    async def _try_market(self, contract: FutureContract, *, findings: Findings, questions: Questions) -> None:
        async def bars() -> Finding:
            return await questions.daily_bars(await self.statistics(contract))

        await findings.take("market_data", lambda: questions.market_data(contract), expected="live")
        await findings.take("two_sided_quote", lambda: questions.two_sided_quote(contract), expected="bid and ask")
        await findings.take("daily_bars", bars, expected="a volume")
        await findings.take("what_if_margin", lambda: questions.what_if_margin(contract), expected="initial margin")
        await findings.take("exchange_rate", lambda: questions.exchange_rate(contract), expected="a rate")

    async def _try_orders(self, contract: FutureContract, *, findings: Findings, wanted: bool) -> None:
        trial = Trial(self, self._rooms, contract, findings)
        if self._rooms.broker.is_live:
            trial.pass_over("A live account: this test sends no order to it")
        elif not wanted:
            trial.pass_over("place_orders=False: only an order tells")
        else:
            await trial.run()
