"""Switching faults on and off while the shop runs; only from the machine it runs on."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from examples.farmers_market.faults import FaultError, check_area, fault_of, spread
from examples.farmers_market.shop import shop_of
from examples.farmers_market.views.api import json_object, problem

if TYPE_CHECKING:
    from starlette.requests import Request


def only_from_this_machine(request: Request) -> None:
    """Refuse requests that came over a network."""
    try:
        local = request.client and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise HTTPException(403)


async def show_faults(request: Request) -> Response:
    """Return the faults that are on, `{area: fault}`."""
    only_from_this_machine(request)
    return JSONResponse(shop_of(request).faults.active())


async def switch_on_faults(request: Request) -> Response:
    """Switch faults on: `{"orders": "error", "products": "slow:3"}`."""
    only_from_this_machine(request)
    body = await json_object(request)
    if body is None:
        return problem(415, 'Send JSON like {"orders": "error"} as application/json.')
    try:
        for area in body:
            check_area(area)
        named = {area: fault_of(str(fault)) for area, fault in body.items()}
    except FaultError as error:
        return problem(422, str(error))
    shop_of(request).faults.switch_on(spread(named))
    return await show_faults(request)


async def clear_faults(request: Request) -> Response:
    """Switch all faults off."""
    only_from_this_machine(request)
    shop_of(request).faults.clear()
    return await show_faults(request)
