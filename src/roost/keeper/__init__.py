"""The keeper: one small process a data directory that starts agents, holds their terminals, and records them.

It uses the standard library, `roost.core.recording` and `roost.errors` only, one epoll loop and one thread, so that
there is little in it that could hang or fail. `docs/reference/keeper-protocol.md` is its contract and
`docs/explanation/keeper.md` says why it is as it is.
"""
