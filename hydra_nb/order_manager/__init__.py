"""The order manager: a sans-IO core that decides, and its asyncio shell that carries out."""

from hydra_nb.order_manager.already_sent import AlreadySent
from hydra_nb.order_manager.core import ManagerCore, ParentView
from hydra_nb.order_manager.shell import OrderManager

__all__ = ["AlreadySent", "ManagerCore", "OrderManager", "ParentView"]
