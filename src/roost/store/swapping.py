"""Replacing sessions' rows by newer ones at once, and clearing away what readers no longer see."""

from __future__ import annotations

from sqlalchemy import Engine, delete, func, select, update

from roost.store.schema import blocks, events, meta, sessions, usage

PURGE_BLOCKS = 500


def last_key(engine: Engine) -> int:
    """The highest key of a session; those written later are above it."""
    with engine.begin() as connection:
        return connection.scalar(select(func.max(sessions.c.session_key))) or 0


def make_current(engine: Engine, after_key: int) -> int:
    """Let readers see the sessions above `after_key` instead of older ones of the same ids; the new epoch.

    Sessions that were not written again stay as they are.
    """
    written = select(sessions.c.session_id).where(sessions.c.session_key > after_key)
    with engine.begin() as connection:
        older = sessions.c.session_id.in_(written) & (sessions.c.session_key <= after_key)
        connection.execute(update(sessions).where(older).values(current=False))
        connection.execute(update(sessions).where(sessions.c.session_key > after_key).values(current=True))
        epoch = int(connection.scalar(select(meta.c.value).where(meta.c.name == "epoch")) or 0) + 1
        connection.execute(update(meta).where(meta.c.name == "epoch").values(value=str(epoch)))
    return epoch


def purge_some(engine: Engine, most_blocks: int = PURGE_BLOCKS) -> bool:
    """Delete some of what is not current; whether there may be more. Each call is a short transaction."""
    with engine.begin() as connection:
        key = connection.scalar(select(sessions.c.session_key).where(sessions.c.current.is_(False)).limit(1))
        if key is None:
            return False
        some = select(blocks.c.block_id).where(blocks.c.session_key == key).limit(most_blocks)
        gone = connection.execute(delete(blocks).where(blocks.c.block_id.in_(some))).rowcount
        if gone < most_blocks:
            connection.execute(delete(events).where(events.c.session_key == key))
            connection.execute(delete(usage).where(usage.c.session_key == key))
            connection.execute(delete(sessions).where(sessions.c.session_key == key))
    return True


def discard(engine: Engine, after_key: int, session_id: str) -> None:
    """Delete what was written of a session above `after_key`, before it was made current."""
    with engine.begin() as connection:
        chosen = (sessions.c.session_id == session_id) & (sessions.c.session_key > after_key)
        keys = select(sessions.c.session_key).where(chosen)
        connection.execute(delete(events).where(events.c.session_key.in_(keys)))
        connection.execute(delete(usage).where(usage.c.session_key.in_(keys)))
        connection.execute(delete(blocks).where(blocks.c.session_key.in_(keys)))
        connection.execute(delete(sessions).where(chosen))
