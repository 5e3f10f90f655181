"""What a person sees in the notebook: cards, and the order ticket. No trading logic lives here."""

from hydra_nb.widgets.execution import ExecutionView
from hydra_nb.widgets.render import execution_card, plan_card
from hydra_nb.widgets.ticket import OrderTicket

__all__ = ["ExecutionView", "OrderTicket", "execution_card", "plan_card"]
