"""What one tick and one lot of twelve thin futures are worth, written down by hand from the contract sizes."""

from decimal import Decimal

import pytest

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.orders import Action, ChildOrder, Stage
from hydra_nb.domain.units import Side
from hydra_nb.risk.case import Case
from hydra_nb.risk.checks_size import order_notional
from hydra_nb.risk.limits import Limits
from tests.whole_stack import Stack, on_a_desk

from .making import make_quote, make_snapshot

GOLDEN = {
    # symbol: a price as it is quoted, the value of one tick, the value of one lot; dollars
    "ZO": ("370.00", "12.50", "18500"),  # 5,000 bushels, cents
    "ZR": ("14.500", "10", "29000"),  # 2,000 hundredweight, dollars
    "KE": ("560.00", "12.50", "28000"),  # 5,000 bushels, cents
    "LBR": ("580.00", "13.75", "15950"),  # 27,500 board feet, dollars a thousand
    "GF": ("255.000", "12.50", "127500"),  # 50,000 pounds, cents
    "HE": ("82.000", "10", "32800"),  # 40,000 pounds, cents
    "OJ": ("480.00", "7.50", "72000"),  # 15,000 pounds, cents
    "PA": ("980.00", "50", "98000"),  # 100 ounces, dollars
    "PL": ("970.00", "5", "48500"),  # 50 ounces, dollars
    "DA": ("18.50", "20", "37000"),  # 200,000 pounds, dollars a hundredweight
    "CSC": ("1.900", "20", "38000"),  # 20,000 pounds, dollars
    "CB": ("260.000", "5", "52000"),  # 20,000 pounds, cents
}
LOTS = 3


@pytest.fixture(scope="module")
def contracts() -> dict[str, FutureContract]:
    """The contracts as the gateway's details tell them, through the client library and our reading of it."""

    async def ask(stack: Stack) -> dict[str, FutureContract]:
        return {symbol: await stack.desk.instrument(symbol) for symbol in GOLDEN}

    return on_a_desk(ask)


@pytest.mark.parametrize("symbol", GOLDEN)
def test_one_tick_and_one_lot_are_worth_what_the_exchange_says(
    symbol: str, contracts: dict[str, FutureContract]
) -> None:
    """Multiplier and magnifier are each applied once."""
    price, tick_value, lot_value = (Decimal(text) for text in GOLDEN[symbol])
    contract = contracts[symbol]

    assert contract.tick_value == contract.cash(contract.tick, lots=1) == tick_value
    assert contract.notional(price, lots=1) == contract.cash(price, lots=1) == lot_value
    assert contract.cash(-contract.tick, lots=LOTS) == -LOTS * tick_value


@pytest.mark.parametrize("rate", [1.0, 0.92])
@pytest.mark.parametrize("symbol", GOLDEN)
def test_the_gate_values_an_order_in_the_accounts_currency(
    symbol: str, rate: float, contracts: dict[str, FutureContract]
) -> None:
    """Three lots at the mid, in dollars, and in euros at the broker's rate; a limit of a cent less refuses them."""
    price, _, lot_value = (Decimal(text) for text in GOLDEN[symbol])
    contract = contracts[symbol]
    child = ChildOrder(
        order_ref="hy:j1:P-0001:1:1",
        order_id=11,
        parent_id="P-0001",
        slice=1,
        account="SIM1234567",
        contract=contract,
        side=Side.BUY,
        lots=LOTS,
        limit_price=price,
        expires_ns=1,
        stage=Stage.MID,
    )
    snapshot = make_snapshot(
        quote=make_quote(con_id=contract.con_id),
        reference_mid=price,
        exchange_rate=rate,
        currency="USD" if rate == 1.0 else "EUR",
    )
    worth = float(lot_value) * rate * LOTS

    for limit, allowed in ((worth, True), (worth - 0.01, False)):
        limits = Limits(max_notional_per_order=limit)
        decision = order_notional(Case.of_child(child, action=Action.PLACE, snapshot=snapshot, limits=limits))
        assert decision.observed == pytest.approx(worth, rel=1e-12)
        assert decision.unit == snapshot.currency
        assert decision.allowed is allowed
