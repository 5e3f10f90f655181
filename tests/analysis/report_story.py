"""The story of an order of which much is to be told, and its page."""

from pathlib import Path

from hydra_nb.analysis.report import write_report
from hydra_nb.domain import events as ev
from hydra_nb.domain.alerts import AlertKind, Severity
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import Action, ParentStatus, SliceStatus, Stage
from hydra_nb.domain.units import Side
from hydra_nb.risk.verdict import Decision

from .story import ACCOUNT, OATS, Story, ns, plan_for, top

OTHER_ACCOUNT = "U7654321"
MARKUP = "</script><b>x & 'y'"


def told(*, side: Side = Side.BUY, is_over: bool = True, tag: str | None = None) -> Story:
    """Two slices: the first filled in two parts and with fees, the second modified and missed; the link went down."""
    story, quote = Story(), top(OATS, "370", "371")
    plan = plan_for(OATS, 3, 2, side=side, tag=tag)
    for seconds, bid, ask in ((-30, "370", "371"), (30, "371", "372"), (150, "372", "374")):
        story.journal.append_quote(top(OATS, bid, ask, time_ns=ns(seconds)), "ZOK6")
    of_all = ev.LimitValue(symbol="*", limit="collar_ticks", value=40)
    story.tell(ev.LimitsOpened(time_ns=ns(-20), values=(of_all,), who="somebody"))
    check = Decision(
        check="order_lots", allowed=True, observed=3, limit=10, unit="lots", message="3 of 10 lots", source="limits"
    )
    refused = check._replace(check="collar_ticks", allowed=False, message="50 ticks, 40 allowed")
    story.journal.append_decisions((check, refused), time_ns=ns(1), parent_id="P-0001", slice=1, action=Action.PLACE)
    story.submitted("P-0001", plan, quote)
    story.tell(
        ev.LimitsChanged(time_ns=ns(0.5), limit="collar_ticks", symbol="*", old=40, new=90, reason="wide", who="me")
    )
    ref = story.gated("P-0001", 1, plan=plan, price="370.5", quote=quote, at=1, predicted="0.75")
    story.sent(ref, at=1.25)
    story.filled(ref, "0001.01.01", 1, "370.5", at=2, quote=quote)
    story.charged("0001.01.01", "2.50", at=2)
    story.filled(ref, "0002.01.01", 2, "371", at=9, quote=quote)
    story.slice_over("P-0001", 1, filled=3, carried=0, status=SliceStatus.FILLED, at=10)
    words = f"order of {ACCOUNT} refused, see {OTHER_ACCOUNT}"
    story.tell(ev.BrokerErrorReported(time_ns=ns(11), order_ref=ref, code=201, message=words))
    story.tell(ev.ConnectionChanged(time_ns=ns(12), state=ConnectionState.DOWN, message="gone"))
    story.tell(
        ev.AlertRaised(
            time_ns=ns(12),
            kind=AlertKind.DISCONNECTED,
            subject="",
            severity=Severity.CRITICAL,
            local_symbol="",
            parent_id=None,
            sentence=f"No way to the broker of {ACCOUNT}.",
        )
    )
    second = story.gated("P-0001", 2, plan=plan, price="371.5", quote=quote, at=101)
    story.sent(second, at=101)
    story.gated("P-0001", 2, plan=plan, price="372", quote=quote, at=121, stage=Stage.STEP)
    story.slice_over("P-0001", 2, filled=0, carried=0, status=SliceStatus.MISSED, at=160)
    if is_over:
        story.over("P-0001", status=ParentStatus.PARTIAL, at=170)
    return story


def page_of(story: Story, tmp_path: Path, *, overwrite: bool = False) -> str:
    """The page of the story's order, as text."""
    written = write_report(story.journal, "P-0001", tmp_path / "report.html", overwrite=overwrite)
    return written.read_text(encoding="utf-8")
