"""The instruments of the simulated market and the months that are listed under a seed.

What is traded where, on which tick and when comes from ``thin_futures.csv`` in this package. Month
cycles and the rules for last trade dates are those of the exchanges, simplified to weekdays: no
holidays are known. Contract ids, price levels and the first day of the market derive from the seed.
"""

import csv
import datetime as dt
import importlib.resources
import string
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.sim.calendar import Calendar, Holidays
from hydra_nb.sim.records import Listing
from hydra_nb.sim.seeds import stream

MONTH_CODES = "FGHJKMNQUVXZ"
LISTED_MONTHS = 6
LIQUID_MONTH_DAYS = 20
"""The liquid month is the first one with at least so many days left to trade."""
_SATURDAY = 5
_CYCLES = {
    "ZO": "HKNUZ",
    "ZR": "FHKNUX",
    "KE": "HKNUZ",
    "LBR": "FHKNUX",
    "GF": "FHJKQUVX",
    "HE": "GJKMNQVZ",
    "OJ": "FHKNUX",
    "PA": "HMUZ",
    "PL": "FJNV",
    "DA": MONTH_CODES,
    "CSC": MONTH_CODES,
    "CB": MONTH_CODES,
}
_FIRST_RULE_ID = 201
_US_HOLIDAYS_AND_CLOCK_CHANGES = (
    *("2026-01-01", "2026-01-19", "2026-02-16", "2026-03-08", "2026-04-03", "2026-05-25", "2026-06-19"),
    *("2026-07-03", "2026-09-07", "2026-10-12", "2026-11-01", "2026-11-11", "2026-11-26", "2026-12-25"),
    *("2027-01-01", "2027-01-18", "2027-02-15", "2027-03-14", "2027-03-26", "2027-05-31", "2027-06-18"),
    *("2027-07-05", "2027-09-06", "2027-10-11", "2027-11-07", "2027-11-11", "2027-11-25", "2027-12-24"),
)
"""Dates that the first week of the market keeps clear of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One row of ``thin_futures.csv``; prices in the quoted unit, the spread in ticks."""

    symbol: str
    name: str
    exchange: str
    currency: str
    min_tick: Decimal
    multiplier: str
    price_magnifier: int
    example_price: Decimal
    spread_ticks: float
    sessions: str
    time_zone: str

    @property
    def told_tick(self) -> Decimal:
        """The tick in the currency, as the wire tells it."""
        return self.min_tick / self.price_magnifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A listed month with what only the simulation knows of it.

    ``rank`` counts months away from the liquid one, which has 0; ``settlement_ticks`` is the price
    at which the market stood before its first day.
    """

    listing: Listing
    instrument: Instrument
    calendar: Calendar
    rank: int
    settlement_ticks: int


def read_instruments() -> tuple[Instrument, ...]:
    """Read the packaged table, in its order."""
    source = importlib.resources.files("hydra_nb.sim").joinpath("thin_futures.csv")
    with source.open(encoding="utf-8") as lines:
        return tuple(
            Instrument(
                symbol=row["ib_symbol"],
                name=row["name"],
                exchange=row["exchange"],
                currency=row["currency"],
                min_tick=Decimal(row["min_tick"]),
                multiplier=row["multiplier"],
                price_magnifier=int(row["price_magnifier"]),
                example_price=Decimal(row["example_price"]),
                spread_ticks=float(row["spread_ticks"]),
                sessions=row["sessions_exchange_time"],
                time_zone=row["time_zone"],
            )
            for row in csv.DictReader(lines)
        )


def first_day(seed: int) -> dt.date:
    """Give the Tuesday on which the market of a seed starts, in 2026 or 2027.

    No US holiday and no change of the clocks lies in the four days before it or the week after it.
    """
    avoid = [dt.date.fromisoformat(day) for day in _US_HOLIDAYS_AND_CLOCK_CHANGES]
    tuesdays = (dt.date(2026, 1, 6) + dt.timedelta(weeks=week) for week in range(102))
    quiet = [day for day in tuesdays if not any(-4 <= (other - day).days <= 7 for other in avoid)]
    return stream(seed, "first day").choice(quiet)


def account_name(seed: int) -> str:
    """Give the account of a seed: ``SIM`` and seven capital letters or digits."""
    dice = stream(seed, "account")
    return "SIM" + "".join(dice.choices(string.digits + string.ascii_uppercase, k=7))


def market_rules(instruments: tuple[Instrument, ...]) -> dict[int, Decimal]:
    """Number the distinct ticks, as the wire tells them; the number is the market rule's id there."""
    ticks = sorted({instrument.told_tick for instrument in instruments})
    return dict(enumerate(ticks, _FIRST_RULE_ID))


def list_months(seed: int, *, today: dt.date, holidays: Holidays | None = None) -> tuple[Month, ...]:
    """List the next months of every instrument.

    Parameters
    ----------
    seed
        Decides contract ids and price levels.
    today
        Months whose last trade date lies before it are not listed.
    holidays
        Of all their calendars.

    Returns
    -------
    tuple of Month
        ``LISTED_MONTHS`` for each instrument, nearest first, in the order of the table.
    """
    instruments = read_instruments()
    rule_ids = {tick: rule_id for rule_id, tick in market_rules(instruments).items()}
    con_ids = iter(
        stream(seed, "contract ids").sample(range(100_000_000, 999_999_999), LISTED_MONTHS * len(instruments))
    )
    months: list[Month] = []
    for instrument in instruments:
        expiries = _next_expiries(instrument.symbol, today=today)
        liquid = next(n for n, (_, last) in enumerate(expiries) if (last - today).days >= LIQUID_MONTH_DAYS)
        level = instrument.example_price * Decimal(stream(seed, "level", instrument.symbol).uniform(0.92, 1.08))
        for number, (first_of_month, last_trade_date) in enumerate(expiries):
            listing = _listing(
                instrument,
                con_id=next(con_ids),
                month=first_of_month,
                last_trade_date=last_trade_date,
                rule_id=rule_ids[instrument.told_tick],
            )
            calendar = Calendar(
                instrument.sessions,
                time_zone=instrument.time_zone,
                last_trade_date=last_trade_date,
                holidays=holidays,
            )
            # Half a percent a month stands in for the carry, so that no two months have one price.
            carried = level * (1 + Decimal(number - liquid) / 200)
            month = Month(
                listing=listing,
                instrument=instrument,
                calendar=calendar,
                rank=abs(number - liquid),
                settlement_ticks=int(carried / instrument.min_tick),
            )
            months.append(month)
    return tuple(months)


def last_trade_date(symbol: str, *, month: dt.date) -> dt.date:
    """Give the last trade date of a contract month.

    Parameters
    ----------
    symbol
        Symbol of the table.
    month
        Any day of the contract month.

    Returns
    -------
    datetime.date
        A weekday, by the exchange's rule without its holidays.
    """
    start = month.replace(day=1)
    following = (start + dt.timedelta(days=31)).replace(day=1)
    weekdays = [
        day
        for day in (start + dt.timedelta(days=n) for n in range((following - start).days))
        if day.weekday() < _SATURDAY
    ]
    match symbol:
        case "ZO" | "ZR" | "KE":  # the business day before the 15th
            return max(day for day in weekdays if day.day < 15)
        case "LBR":  # the business day before the 16th
            return max(day for day in weekdays if day.day < 16)
        case "GF":  # the last Thursday
            return max(day for day in weekdays if day.isoweekday() == 4)  # Thursday
        case "HE":  # the tenth business day
            return weekdays[9]
        case "OJ":  # fourteen business days before the last one
            return weekdays[-15]
        case "PA" | "PL":  # the third last business day
            return weekdays[-3]
        case _:  # dairy: the business day before the price announcement, early in the following month
            announced = following + dt.timedelta(days=3)
            return announced - dt.timedelta(days=max(0, announced.weekday() - 4))


def _next_expiries(symbol: str, *, today: dt.date) -> list[tuple[dt.date, dt.date]]:
    """Give (first day of the contract month, last trade date) of the months to list."""
    found: list[tuple[dt.date, dt.date]] = []
    month = (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    while len(found) < LISTED_MONTHS:
        last = last_trade_date(symbol, month=month)
        if MONTH_CODES[month.month - 1] in _CYCLES[symbol] and last >= today:
            found.append((month, last))
        month = (month + dt.timedelta(days=31)).replace(day=1)
    return found


def _listing(instrument: Instrument, *, con_id: int, month: dt.date, last_trade_date: dt.date, rule_id: int) -> Listing:
    return Listing(
        con_id=con_id,
        symbol=instrument.symbol,
        name=instrument.name,
        exchange=instrument.exchange,
        currency=instrument.currency,
        local_symbol=f"{instrument.symbol}{MONTH_CODES[month.month - 1]}{month.year % 10}",
        trading_class=instrument.symbol,
        contract_month=f"{month:%Y%m}",
        last_trade_date=last_trade_date,
        min_tick=instrument.min_tick,
        multiplier=instrument.multiplier,
        price_magnifier=instrument.price_magnifier,
        time_zone=instrument.time_zone,
        market_rule_id=rule_id,
    )
