"""Plans and to-do lists, as most agents give them: `content` and `status` of each entry."""

from __future__ import annotations

from roost.agents.json_in import objects_of, text_of
from roost.model.events import Progress

_STATES = {"in_progress": "active", "completed": "done", "cancelled": "done"}


def progress(entries: object, turn_id: str | None = None) -> Progress:
    """How far a plan is."""
    items = [
        (text_of(one.get("content")), _STATES.get(text_of(one.get("status")), "pending")) for one in objects_of(entries)
    ]
    done = len([state for _, state in items if state == "done"])
    current = next((text for text, state in items if state == "active"), None)
    return Progress(0, 0, done, len(items), current, [{"text": text, "state": state} for text, state in items], turn_id)
