"""The order manager: a sans-IO core that decides, and its asyncio shell that carries out."""

from hydra_nb.order_manager.core import ManagerCore, ParentView
from hydra_nb.order_manager.shell import AlreadySent, OrderManager

__all__ = ["AlreadySent", "ManagerCore", "OrderManager", "ParentView"]
