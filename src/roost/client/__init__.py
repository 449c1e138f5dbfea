"""Clients of roost for Python: the standard library only, nothing loaded before it is needed.

`roost.client.backend.connect(data)` gives whichever back end answers: the server (`roost.client.server.ServerClient`)
or, where none runs, the keeper (`roost.client.keeper.KeeperBackend`). Both have the same face.
"""
