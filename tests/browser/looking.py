"""What a person with good eyes would measure on a page: contrast of text, scroll bars, size."""

from dataclasses import dataclass

from playwright.sync_api import Locator

_CONTRASTS = """
root => {
    const parse = text => {
        const parts = text.match(/[\\d.]+/g).map(Number);
        if (text.startsWith('color(')) return [parts[0] * 255, parts[1] * 255, parts[2] * 255, parts[3] ?? 1];
        return [parts[0], parts[1], parts[2], parts[3] ?? 1];
    };
    const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
    const light = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const ground = node => {
        const layers = [];
        for (let at = node; at; at = at.parentElement) {
            const colour = parse(getComputedStyle(at).backgroundColor);
            if (colour[3] > 0) layers.push(colour);
            if (colour[3] === 1) break;
        }
        return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
    };
    const seen = node => {
        const box = node.getBoundingClientRect();
        return node.checkVisibility({visibilityProperty: true, opacityProperty: true})
            && node.closest(':disabled') === null && box.width > 1 && box.height > 1;
    };
    const found = [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
        const node = text.parentElement;
        if (!text.data.trim() || ['STYLE', 'SCRIPT'].includes(node.tagName) || !seen(node)) continue;
        const style = getComputedStyle(node);
        let opacity = 1;
        for (let at = node; at; at = at.parentElement) opacity *= +getComputedStyle(at).opacity;
        const svg = node.closest('svg') !== null && style.fill.startsWith('rgb');
        const ink = parse(svg ? style.fill : style.color);
        const below = ground(node);
        const shown = over([ink[0], ink[1], ink[2], ink[3] * opacity], below);
        const [a, b] = [light(shown), light(below)];
        found.push({text: text.data.trim().slice(0, 40), ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)});
    }
    return found;
}
"""
_SCROLLING = """
root => [root, ...root.querySelectorAll('*')].filter(node => {
    const style = getComputedStyle(node);
    const across = ['auto', 'scroll'].includes(style.overflowX) && node.scrollWidth > node.clientWidth + 1;
    const down = ['auto', 'scroll'].includes(style.overflowY) && node.scrollHeight > node.clientHeight + 1;
    return node.clientWidth > 0 && node.checkVisibility() && (across || down);
}).map(node => `${node.tagName.toLowerCase()}.${node.className} ${node.scrollWidth} > ${node.clientWidth} or `
    + `${node.scrollHeight} > ${node.clientHeight}`)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A piece of text, and its contrast with what lies behind it: 1 is none, 21 black on white."""

    text: str
    ratio: float


def texts(view: Locator) -> list[Text]:
    """Give each piece of text that is seen, with its contrast as WCAG 2 defines it; disabled controls are exempt."""
    return [Text(text=each["text"], ratio=each["ratio"]) for each in view.evaluate(_CONTRASTS)]


def faint(view: Locator, *, least: float = 4.5) -> list[Text]:
    """Give the pieces of text below a contrast."""
    return [text for text in texts(view) if text.ratio < least]


def scroll_bars(view: Locator) -> list[str]:
    """Name the parts of a view that have a scroll bar."""
    return [str(each) for each in view.evaluate(_SCROLLING)]


def size(view: Locator) -> tuple[int, int]:
    """Give width and height of all that a view holds, in pixels."""
    width, height = view.evaluate("node => [node.scrollWidth, node.scrollHeight]")
    return int(width), int(height)
