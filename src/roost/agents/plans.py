"""Plans and to-do lists, as most agents give them: `content` (or `description`) and `status` of each entry."""

from __future__ import annotations

from roost.agents.json_in import objects_of, text_of
from roost.model.events import Progress

_STATES = {"in_progress": "active", "completed": "done", "cancelled": "done"}


def progress(entries: object, turn_id: str | None = None) -> Progress:
    """How far a plan is."""
    items = [
        {
            "text": text_of(one.get("content")) or text_of(one.get("description")),
            "state": _STATES.get(text_of(one.get("status")), "pending"),
        }
        for one in objects_of(entries)
    ]
    done = len([one for one in items if one["state"] == "done"])
    current = next((one["text"] for one in items if one["state"] == "active"), None)
    return Progress(0, 0, done, len(items), current, list(items), turn_id)
