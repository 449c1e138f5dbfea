"""Models and modes in the Agent Client Protocol: what there are, and how they are changed.

Agents have three ways of it: `modes` and `models` of a session with a request for each, and `configOptions`, which
hold both. Where a session has an option for it, that is the way, since it is the newest.
"""

from __future__ import annotations

from typing import Any

from roost.agents.acp_state import AcpState, Knob
from roost.agents.driver import Item
from roost.agents.json_in import object_of, objects_of, text_of
from roost.model.events import Conversation

_METHODS = {"model": "session/set_model", "mode": "session/set_mode"}
_PARAMETERS = {"session/set_model": "modelId", "session/set_mode": "modeId"}


def learn_session(state: AcpState, session: dict[str, Any]) -> dict[str, str]:
    """Take what a new session says; gives the `model` and `mode` it is in."""
    now: dict[str, str] = {}
    modes, models = object_of(session.get("modes")), object_of(session.get("models"))
    if modes:
        state.knobs["mode"] = Knob(_METHODS["mode"], values=_values(modes.get("availableModes"), "id"))
        now["mode"] = text_of(modes.get("currentModeId"))
    if models:
        state.knobs["model"] = Knob(_METHODS["model"], values=_values(models.get("availableModels"), "modelId"))
        now["model"] = text_of(models.get("currentModelId"))
    now |= learn_options(state, session)
    return {what: value for what, value in now.items() if value}


def tell_settings(state: AcpState, now: dict[str, str]) -> list[Item]:
    """What is another than was told last."""
    news = {what: value for what, value in now.items() if value and state.told.get(what) != value}
    state.told |= news
    state.model = state.told.get("model", "")
    return [Conversation(0, 0, model=news.get("model"), mode=news.get("mode"))] if news else []


def learn_options(state: AcpState, holder: dict[str, Any]) -> dict[str, str]:
    """Take `configOptions`; gives the `model` and `mode` that are set."""
    now: dict[str, str] = {}
    for option in objects_of(holder.get("configOptions")):
        what, value = text_of(option.get("category")), text_of(option.get("currentValue"))
        config_id = text_of(option.get("id"))
        if what in _METHODS and what not in now and value and config_id:
            values = _values(_flat(option.get("options")), "value")
            state.knobs[what] = Knob("session/set_config_option", config_id, values)
            now[what] = value
    return now


def _flat(options: object) -> list[dict[str, Any]]:
    """An option's values, out of their groups."""
    return [one for option in objects_of(options) for one in (objects_of(option.get("options")) or [option])]


def _values(values: object, name: str) -> list[tuple[str, str]]:
    return [(text_of(one.get(name)), text_of(one.get("name"))) for one in objects_of(values)]


def find_value(knob: Knob, wanted: str) -> str | None:
    """The id of a value by its id or its name; what is not listed is none."""
    return next((value for value, name in knob.values if wanted in (value, name)), None)


def request_of(knob: Knob, value: str) -> tuple[str, dict[str, Any]]:
    """The method and the parameters, without the session's id, that set it."""
    if knob.config_id:
        return knob.method, {"configId": knob.config_id, "value": value}
    return knob.method, {_PARAMETERS[knob.method]: value}
