"""The gestures of the ticket's foot: four controls that never change their meaning, and two for after the order."""

import ipywidgets

from hydra_nb.widgets import numbers
from hydra_nb.widgets.arming import Arming, Phase
from hydra_nb.widgets.fields import Fields
from hydra_nb.widgets.parts import side_words
from hydra_nb.widgets.ticket_form import switch


class TicketButtons:
    """Preview, Rehearse, Arm and Send; then Open view and New plan.

    Attributes
    ----------
    preview, rehearse, send, open, new : ipywidgets.Button
        What is pressed once for one thing.
    arm : ipywidgets.ToggleButton
        Pressed while the plan is armed.
    """

    def __init__(self) -> None:
        self.preview = ipywidgets.Button(description="Preview", tooltip="Draw the plan; nothing is sent")
        self.rehearse = ipywidgets.Button(description="Rehearse")
        self.arm = ipywidgets.ToggleButton(description="◇ Arm", tooltip="Allow Send for 30 s")
        self.send = ipywidgets.Button(description="Send", disabled=True)
        self.open = ipywidgets.Button(description="Open view")
        self.new = ipywidgets.Button(description="New plan")
        names = ("hy-preview", "hy-rehearse", "hy-arm", "hy-send", "hy-open", "hy-new")
        for name, button in zip(names, self.all, strict=True):
            button.add_class(name)
        self.send.add_class("hy-once")

    @property
    def all(self) -> tuple[ipywidgets.DOMWidget, ...]:
        """All of them, in the order in which Tab visits them."""
        return self.preview, self.rehearse, self.arm, self.send, self.open, self.new

    def show(self, arming: Arming, fields: Fields, *, is_killed: bool, paths: int) -> None:
        """Bring them up to date; Disarm is never disabled. `paths` is how many markets Rehearse takes."""
        is_armed, side = arming.phase is Phase.ARMED, fields.chosen_side()
        self.preview.disabled = self.rehearse.disabled = not fields.complete or arming.phase is Phase.SENDING
        self.rehearse.tooltip = f"Run this plan in {numbers.plural(paths, 'simulated market')}; nothing is sent"
        self.arm.disabled = not is_armed and (is_killed or not arming.may_arm)
        self.arm.value = is_armed
        self.arm.description = "◆ Disarm" if is_armed else "◇ Arm"
        sign, words = ("▲", "") if side is None else side_words(side, fields.lots.value).split(" ", 1)
        self.send.description = f"{sign} Send {words}".strip()
        self.send.disabled = not arming.may_send
        for button in (self.preview, self.rehearse, self.arm, self.send):
            switch(button, "hy-hidden", on=arming.phase is Phase.SENT)
        for button in (self.open, self.new):
            switch(button, "hy-hidden", on=arming.phase is not Phase.SENT)
