"""Seeds that once failed, with a sentence each; they are always run."""

REGRESSIONS: dict[int, str] = {
    17: "An order forked by a modify stayed in the simulated book after its expiry.",
    150: "A bust hid from the checker that the venue had overfilled the order before.",
    229: "A desk that could not be opened left a timer behind, which then wrote to a closed journal.",
    230: "A venue overfill that was busted in the same instant was held against us.",
    418: "A parent that was submitted in the instant of a crash was asked for by the next life of the desk.",
    577: "A desk that was closed during an outage left tasks behind that nobody held.",
    604: "A desk that was closed during an outage left tasks behind: at another place.",
    5197: "The checker looked at an expiry before the exchange had come to it.",
    5202: "An order that was reserved, and never known to be sent, was cancelled by the next life of the desk.",
    5285: "A connection lost while subscriptions were renewed was told as an unexpected error.",
    5286: "After a reconnection an order was sent on the quote of the connection before.",
    10574: "The checker moved a schedule by a resumption that the crash after it had forgotten.",
    10804: "The checker moved a schedule by a forgotten resumption: of a desk that died while an order was on its way.",
    10849: "An order that waited for the disk left after a reconnection, before ledger and broker were compared.",
    10612: "A disk that broke every statement off was asked for its size before it filled up.",
    10718: "A disk that broke every statement off was asked for its size: in an order half filled.",
    10702: "The checker read the disk by the desk's own connection while that one was broken off: at a modify.",
    11074: "The checker read the disk by the desk's own connection while that one was broken off: at a place.",
    10973: "The person went on to resume parents with a desk that had died meanwhile.",
    11004: "The person went on to abandon parents with a desk that had died meanwhile.",
}
