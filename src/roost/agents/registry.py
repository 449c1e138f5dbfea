"""The drivers there are, by name."""

from __future__ import annotations

from roost.agents.acp import AcpDriver
from roost.agents.adopted import AdoptedDriver
from roost.agents.claude import ClaudeDriver
from roost.agents.codex import CodexDriver
from roost.agents.conversation import ConversationDecoder, Price
from roost.agents.driver import Driver
from roost.agents.gemini import GeminiDriver
from roost.agents.observer import SessionObserver
from roost.agents.opencode import OpencodeDriver
from roost.core.decoding import Makers
from roost.model.agents import Definition
from roost.model.events import Source

DRIVERS: dict[str, Driver] = {
    "acp": AcpDriver(),
    "adopted": AdoptedDriver(),
    "claude": ClaudeDriver(),
    "codex": CodexDriver(),
    "gemini": GeminiDriver(),
    "opencode": OpencodeDriver(),
}
"""Of agents that are spoken to in their own protocol; `terminal` and `lines` need none."""


def make_decoder(session_id: str, definition: Definition, price: Price | None = None) -> ConversationDecoder | None:
    """The decoder of a session, where its driver speaks a protocol."""
    driver = DRIVERS.get(definition.driver)
    if driver is None:
        return None
    source: Source = "transcript" if driver.name == "adopted" else "protocol"
    return ConversationDecoder(session_id, driver.codec(), can_steer=driver.abilities.steer, price=price, source=source)


def makers(price: Price | None = None) -> Makers:
    """Who understands sessions; `price` says what tokens cost where an agent does not."""
    return Makers(
        lambda session_id, definition: make_decoder(session_id, definition, price),
        lambda definition: SessionObserver(definition, price),
    )
