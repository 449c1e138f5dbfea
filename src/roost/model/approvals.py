"""Answers to agents' questions that are remembered."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class ApprovalRule(Struct, frozen=True, kw_only=True):
    """One remembered answer; `created_at` is RFC 3339 in UTC."""

    rule_id: str
    project: str
    driver: str
    tool: str
    subject: str
    decision: Literal["allow", "deny"]
    by: str
    created_at: str
