"""What agents spent, for those who ask."""

from __future__ import annotations

import asyncio

from roost.core.loglines import parse_time
from roost.model.requests import UsageQuery
from roost.model.views import UsageSum, UsageView
from roost.store.spending import Filter, Spending, Spent


async def summed(spending: Spending, query: UsageQuery) -> UsageView:
    """The sums that the query asks for, and all of them together.

    Raises:
        InvalidRequest: a time is none.
    """
    since_ns, until_ns = parse_time(query.since, "since"), parse_time(query.until, "until")
    wanted = Filter(query.agent, query.session, query.model, since_ns, until_ns)
    by = list(dict.fromkeys(query.by))
    found = await asyncio.to_thread(spending.sums, by, wanted, query.limit)
    total = found if not by else await asyncio.to_thread(spending.sums, [], wanted)
    return UsageView(
        usage=[_view(one) for one in found],
        total=_view(total[0]) if total else _view(Spent({}, 0, 0, 0, 0, None, 0)),
    )


def _view(spent: Spent) -> UsageSum:
    return UsageSum(
        input_tokens=spent.input_tokens,
        output_tokens=spent.output_tokens,
        cache_read_tokens=spent.cache_read_tokens,
        cache_write_tokens=spent.cache_write_tokens,
        cost_usd=spent.cost_usd,
        unpriced_tokens=spent.unpriced_tokens,
        **spent.keys,
    )
