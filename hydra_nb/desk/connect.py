"""Opens a desk: gateway, account, clock, journal, gate and manager, in the order that safety asks for."""

import asyncio
import contextlib
import hashlib
import multiprocessing
import random
import secrets
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import platformdirs

from hydra_nb.broker.emergency import Place
from hydra_nb.broker.gateway import BrokerGateway
from hydra_nb.desk import registry
from hydra_nb.desk.alert_delivery import parse_command
from hydra_nb.desk.arguments import parse_client_id, parse_journal, parse_market_seed
from hydra_nb.desk.clock_watch import ClockWatch
from hydra_nb.desk.clocks import LoopClock
from hydra_nb.desk.contract_facts import read_contract_facts
from hydra_nb.desk.desk import Desk
from hydra_nb.desk.endpoint import Endpoint, open_endpoint
from hydra_nb.desk.head_keeper import HeadKeeper
from hydra_nb.desk.limit_setting import open_limits, read_limits
from hydra_nb.desk.recovery import begin_again, replay
from hydra_nb.desk.rooms import Rooms
from hydra_nb.desk.surroundings import Surroundings
from hydra_nb.desk.who import IN_VIRTUAL_TIME, user_name
from hydra_nb.domain.accounts import mask_account
from hydra_nb.domain.events import Event
from hydra_nb.domain.instrument import ContractFacts, FutureContract
from hydra_nb.errors import DeskBusy, JournalError, NotConnected
from hydra_nb.journal import Journal
from hydra_nb.order_manager import OrderManager
from hydra_nb.order_manager.alert_book import AlertBook
from hydra_nb.reconcile import Reconciler, Rounds
from hydra_nb.risk.gate import RiskGate
from hydra_nb.risk.limits import Limits

IN_MEMORY = ":memory:"
Made = TypeVar("Made")


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """The arguments of `connect`; equal ones give the same desk."""

    endpoint: str
    account: str | None
    client_id: int
    journal: str | Path | None
    limits: Limits | str | Path | None
    contract_facts: str | Path | None
    seed: int | None
    speed: float | str
    confirm_live: str | None
    alert_command: str | Sequence[str] | None

    @property
    def key(self) -> registry.Key:
        """What equal arguments share."""
        limits = self.limits if isinstance(self.limits, Limits | None) else str(self.limits)
        journal = None if self.journal is None else str(self.journal)
        facts = None if self.contract_facts is None else str(self.contract_facts)
        command = self.alert_command if isinstance(self.alert_command, str | None) else tuple(self.alert_command)
        return (self.endpoint, self.account, self.client_id, journal, limits, self.seed, self.speed, facts, command)


FIGURES = "plotly.graph_objs._figurewidget"
"""What live figures need; it takes seconds to import, which must not fall into the time in which orders work."""


class Connecting:
    """A desk about to be opened: ``await`` it, or use it in ``async with``."""

    def __init__(self, arguments: Arguments, *, fresh: bool) -> None:
        self._arguments = arguments
        self._fresh = fresh
        self._desk: Desk | None = None

    def __await__(self) -> Generator[Any, None, Desk]:
        """Open the desk, or give the one that equal arguments opened before."""
        return self._open().__await__()

    async def __aenter__(self) -> Desk:
        """Open the desk; leaving the block closes it, unless it was open before: others trade on it."""
        was_open = registry.find(self._arguments.key)
        desk = await self._open()
        self._desk = None if desk is was_open else desk
        return desk

    async def __aexit__(self, *exc: object) -> None:
        """Close the desk that the block opened, cancelling what works."""
        if self._desk is not None:
            await self._desk.close()

    async def _open(self) -> Desk:
        _refuse_in_an_import()
        async with registry.door():
            desk = registry.find(self._arguments.key)
            if desk is not None and not self._fresh:
                return desk
            asked = self._arguments.limits
            limits = Limits() if asked is None else read_limits(asked)  # before anything is closed or opened
            told = self._arguments.contract_facts
            facts = {} if told is None else read_contract_facts(told)
            if desk is not None:
                await _replace(desk)
            desk = await _open_desk(self._arguments, limits, facts)
            registry.keep(self._arguments.key, desk)
            return desk


def connect(
    endpoint: str = "sim",
    *,
    account: str | None = None,
    client_id: int = 1,
    journal: str | Path | None = None,
    limits: Limits | str | Path | None = None,
    contract_facts: str | Path | None = None,
    seed: int | None = None,
    speed: float | str = 1.0,
    confirm_live: str | None = None,
    fresh: bool = False,
    alert_command: str | Sequence[str] | None = None,
) -> Connecting:
    """Open a desk, awaited or in ``async with``; equal arguments give the desk that is open.

    Parameters
    ----------
    endpoint
        ``"sim"``: the embedded simulated gateway; ``"paper"``: 127.0.0.1:4002; ``"live"``:
        127.0.0.1:4001; or ``"host:port"``.
    account
        Needed where the gateway lists several, and for a live one.
    client_id
        One a connection; the broker refuses a second with the same.
    journal
        Path of the SQLite file; None is one file an account in the user's data directory, for the embedded
        gateway a temporary file that `Desk.close` leaves and names; ``":memory:"`` only for simulated accounts.
    limits
        `Limits`, or the path of a TOML file; None is the conservative default. What `Desk.set_limits` has tightened on
        this journal since they were given stays so, and a `LimitsNotice` says it.
    contract_facts
        Path of a CSV file with first notice days, daily price limits and times of settlement, see
        `hydra_nb.desk.contract_facts`.
    seed, speed
        Of the simulated market; ``speed="max"`` is virtual time for callers that own the loop. A gateway program
        started with a speed needs the same here.
    confirm_live
        The last four characters of a live account.
    fresh
        Close the desk of equal arguments and open another; refused while its orders work.
    alert_command
        A program to run for each alert, such as ``"notify-send hydra_nb"``, or a list of words; without a shell, with
        the alert's sentence as its last argument and its details as JSON on standard input.

    Raises
    ------
    BrokerError
        Nobody answers, the client id is taken, the account is not the one, or live is not confirmed; also where no
        person sits before the notebook, see `hydra_nb.desk.surroundings`.
    JournalError
        The journal is locked, unreadable, of another account, or of a later version.
    DeskBusy
        Another desk on this account has orders at work.
    LimitsError
        The limits, or the facts about contracts, are malformed.
    InvalidOrder
        The client id, the journal's path, the seed, the speed, or the alert command, cannot be used.
    """
    arguments = Arguments(
        endpoint=endpoint,
        account=account,
        client_id=parse_client_id(client_id),
        journal=parse_journal(journal),
        limits=limits,
        contract_facts=contract_facts,
        seed=parse_market_seed(seed),
        speed=speed,
        confirm_live=confirm_live,
        alert_command=alert_command,
    )
    return Connecting(arguments, fresh=fresh)


def _refuse_in_an_import() -> None:
    """Refuse where a worker of another process reads its program: what that one did would be done again."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise NotConnected(
            "no desk is opened while a worker process imports this program; keep what it does under "
            "`if __name__ == '__main__':`"
        )


async def _replace(desk: Desk) -> None:
    busy = desk.busy_parents
    if busy:
        raise DeskBusy(f"{', '.join(busy)} at work on {desk.masked_account}; wait for the end, or cancel first")
    await desk.close()


async def _open_desk(arguments: Arguments, limits: Limits, facts: Mapping[str, ContractFacts]) -> Desk:
    parse_command(arguments.alert_command)  # what cannot sound is refused before anything is opened
    if "ipykernel" in sys.modules and arguments.speed != "max":
        await asyncio.to_thread(import_module, FIGURES)
    endpoint = open_endpoint(arguments.endpoint, seed=arguments.seed, speed=arguments.speed)
    return await open_rooms(arguments, endpoint=endpoint, limits=limits, facts=facts, make=_furnished)


def _furnished(rooms: Rooms) -> Desk:
    desk = Desk(rooms)
    rooms.manager.tasks.keep(desk.watch_scheduled, where="quotes")
    return desk


async def open_rooms(
    arguments: Arguments,
    *,
    endpoint: Endpoint,
    limits: Limits,
    facts: Mapping[str, ContractFacts],
    make: Callable[[Rooms], Made],
) -> Made:
    """Build the rooms of a desk on a gateway, in the order that safety asks for.

    Parameters
    ----------
    arguments
        Those of `connect`; where the gateway is, `endpoint` says.
    limits, facts
        What the gate holds orders against, and what a person told of contracts.
    make
        What is made of the rooms; where it fails, they are taken down again.

    Raises
    ------
    BrokerError, JournalError, DeskBusy
        As `connect`.
    """
    loop = asyncio.get_running_loop()
    sleeps_too = endpoint.embedded and not endpoint.is_virtual  # the market then is a thread of this very program
    clock = LoopClock(loop, speed=endpoint.speed, elapsed=loop.time if sleeps_too else None)
    gate = RiskGate(limits)
    broker = BrokerGateway(clock=clock, client_id=arguments.client_id, gate=gate)
    holder = None if endpoint.embedded else registry.of_connection(arguments.key)
    if holder is not None:  # the gateway would refuse its client id before the account is known
        await _replace(holder)
    try:
        account = await broker.open(
            endpoint.host,
            endpoint.port,
            account=arguments.account,
            confirm_live=arguments.confirm_live,
            live_obstacle=Surroundings.of_now().live_obstacle,
        )
        older = registry.of_account(account)
        if older is not None:
            await _replace(older)
        clock.anchor(await broker.server_time_ns())
        journal = _open_journal(arguments, account=account, endpoint=endpoint, broker=broker, clock=clock)
    except BaseException:
        await broker.close()
        endpoint.stop()
        raise
    try:
        return make(
            await _start(
                arguments, facts=facts, endpoint=endpoint, clock=clock, gate=gate, broker=broker, journal=journal
            )
        )
    except BaseException:
        with contextlib.ExitStack() as whatever_happens:  # one who waits may be interrupted: no lock is left behind
            whatever_happens.callback(endpoint.stop)
            whatever_happens.callback(journal.close)
            await broker.close()
        raise


async def _start(
    arguments: Arguments,
    *,
    facts: Mapping[str, ContractFacts],
    endpoint: Endpoint,
    clock: LoopClock,
    gate: RiskGate,
    broker: BrokerGateway,
    journal: Journal,
) -> Rooms:
    book = AlertBook()

    def hear(event: Event) -> None:
        broker.recall(event)
        book.recall(event)

    manager = OrderManager(replay(journal, hear=hear), journal=journal, gate=gate, broker=broker, clock=clock)
    manager.snapshots.facts = facts  # before anything is looked at: no alert of an earlier desk may end for a moment
    begin_again(manager, journal=journal, now_ns=clock.now_ns())
    who = IN_VIRTUAL_TIME if endpoint.is_virtual else user_name()
    reconciler = Reconciler(
        manager.ledger, broker=broker, clock=clock, own_prefix=journal.order_ref_prefix, ingest=manager.ingest
    )
    watch = ClockWatch(broker, clock=clock, ingest=manager.ingest, is_at_work=lambda: bool(manager.busy_parents))
    heads = HeadKeeper(journal, clock=clock, ingest=manager.ingest)
    rounds = Rounds(reconciler, ledger=manager.ledger, broker=broker, clock=clock)
    manager.observers.append(rounds.heard)
    try:
        open_limits(manager, gate=gate, who=who, now_ns=clock.now_ns())
        await broker.start(
            journal=journal,
            sink=manager.ingest,
            quote_sink=manager.on_quote,
            next_order_id=manager.ledger.last_order_id(arguments.client_id) + 1,
        )
        watch.begin()
        heads.begin()
        await reconciler.run()
    except BaseException:
        await manager.stop()
        raise
    broker.keep_fresh(lambda: _traded(manager))
    manager.on_link_up = reconciler.run_until_answered
    manager.tasks.keep(rounds.watch, where="reconcile")
    manager.tasks.keep(rounds.chase, where="reconcile")
    manager.tasks.keep(lambda: manager.committer.keep_up(lambda: bool(manager.busy_parents)), where="journal")
    if journal.path != IN_MEMORY:
        manager.tasks.keep(heads.run, where="heads")
    manager.cancel_orphans()
    manager.heed_requests()
    return Rooms(
        broker=broker,
        journal=journal,
        gate=gate,
        manager=manager,
        reconciler=reconciler,
        heads=heads,
        rounds=rounds,
        clock=clock,
        seeds=_seeds(arguments, endpoint),
        alert_book=book,
        alert_command=parse_command(arguments.alert_command),
        is_virtual=endpoint.is_virtual,
        place=Place(host=endpoint.host, port=endpoint.port, client_id=arguments.client_id),
        embedded=endpoint.embedded,
        who=who,
        on_closed=partial(_closed, endpoint),
    )


def _traded(manager: OrderManager) -> tuple[FutureContract, ...]:
    """Give the contracts of the parents at work, whose quotes must not grow old while nothing happens."""
    return tuple(manager.ledger.parents[parent_id].plan.parent.contract for parent_id in manager.busy_parents)


def _closed(endpoint: Endpoint, desk: Desk) -> None:
    """Forget a desk that was closed, and end the gateway that was its own."""
    registry.forget(desk)
    endpoint.stop()


def _seeds(arguments: Arguments, endpoint: Endpoint) -> random.Random:
    """Where plans take their seeds: from the market's own on the embedded gateway, else from the system."""
    if endpoint.embedded:
        return random.Random(f"plans of {arguments.seed}")  # noqa: S311  replays with the simulated market
    return random.Random(secrets.randbits(128))  # noqa: S311  jitter hides nothing


def _open_journal(
    arguments: Arguments, *, account: str, endpoint: Endpoint, broker: BrokerGateway, clock: LoopClock
) -> Journal:
    path: Path | str
    if arguments.journal is None:
        path = _temporary_path(account) if endpoint.embedded else _default_path(account)
    elif str(arguments.journal) == IN_MEMORY:
        if not broker.is_simulated:
            raise JournalError(f"journal=':memory:' is for simulated accounts only, not for {mask_account(account)}")
        path = IN_MEMORY
    else:
        path = Path(arguments.journal).expanduser()
    journal_id = None
    if endpoint.is_virtual:
        journal_id = hashlib.sha256(f"{account} {arguments.client_id}".encode()).hexdigest()[:8]
    return Journal.open(path, account=account, now_ns=clock.now_ns(), journal_id=journal_id, inline=endpoint.is_virtual)


def _default_path(account: str) -> Path:
    return Path(platformdirs.user_data_dir("hydra_nb")) / f"{account}.sqlite"


def _temporary_path(account: str) -> Path:
    """Name a file in a folder of its own, so that two embedded gateways of one seed never share one."""
    return Path(tempfile.mkdtemp(prefix="hydra_nb-")) / f"{account}.sqlite"
