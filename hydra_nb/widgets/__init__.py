"""What a person sees in the notebook: cards, the order ticket, and live views. No trading logic lives here."""

from hydra_nb.widgets.desk_view import DeskView
from hydra_nb.widgets.execution import ExecutionView
from hydra_nb.widgets.render import execution_card, plan_card
from hydra_nb.widgets.ticket import OrderTicket

__all__ = ["DeskView", "ExecutionView", "OrderTicket", "execution_card", "plan_card"]
