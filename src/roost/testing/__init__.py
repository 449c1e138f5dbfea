"""A kit for testing with agents that are no agents: shipped, so that others can test what they build on roost.

- `roost.testing.fake_agent`: a program that behaves as it is told (`python -m roost.testing.fake_agent --help`)
- `roost.testing.server.run_server`: a real server with a data directory of its own
- `roost.testing.kill_storm`: does anything get lost or doubled when the server is killed again and again
- `roost.testing.trees`: process trees of every awkward kind, with decoys, and who of them survived
- `roost.testing.stalls`: clients that do not read, do not finish their request, go away without a word
- `roost.testing.contracts`: what every implementation of an interface of ours must do

Nothing is imported here, so that a fake agent starts as fast as Python does.
"""
