"""The official SDK, which blocks: sequential, or in threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import checkout_payloads, payloads


def api(url: str, connections: int = 1) -> Any:
    """Its vouchers API."""
    from voucherify.api.vouchers_api import VouchersApi

    return VouchersApi(_client(url, connections))


def _client(url: str, connections: int) -> Any:
    """What its APIs send by, with a connection for each thread."""
    from voucherify.api_client import ApiClient
    from voucherify.configuration import Configuration

    configuration = Configuration(host=url, api_key={"X-App-Id": "bench", "X-App-Token": "bench"})
    configuration.connection_pool_maxsize = connections
    return ApiClient(configuration)


def lookup(url: str, connections: int) -> Callable[[str], object]:
    """A function that looks one voucher up; any number of threads may call it."""
    get: Callable[[str], object] = api(url, connections).get_voucher
    return get


def page(url: str) -> Callable[[int], object]:
    """A function that reads one page of vouchers, by its number."""
    read = api(url).list_vouchers
    return lambda number: read(limit=payloads.PAGE, page=number)


def checkout(url: str, connections: int) -> Callable[[str], object]:
    """A function that validates and redeems under a source id."""
    from voucherify.api.redemptions_api import RedemptionsApi
    from voucherify.api.validations_api import ValidationsApi
    from voucherify.models.redemptions_redeem_request_body import RedemptionsRedeemRequestBody
    from voucherify.models.validations_validate_request_body import ValidationsValidateRequestBody

    client = _client(url, connections)
    validate = ValidationsApi(client).validate_stacked_discounts
    redeem = RedemptionsApi(client).redeem_stacked_discounts

    def check_out(source_id: str) -> object:
        body = checkout_payloads.request(source_id)
        validate(ValidationsValidateRequestBody.from_dict(body))
        return redeem(RedemptionsRedeemRequestBody.from_dict(body))

    return check_out
