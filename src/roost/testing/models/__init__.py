"""Fake model endpoints: what a real agent's command line needs from a model, on loopback, without a model.

`roost.testing.models.server.FakeModel` is one server that speaks Anthropic's Messages, OpenAI's Responses and Chat
Completions, and Gemini's generateContent. What it answers stands in the prompt (`roost.testing.models.script`) or is
given in Python. `python -m roost.testing.models` runs it by itself.
"""
