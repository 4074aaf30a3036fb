"""Arguments of the steps that ask a live service."""

import argparse
import os
from pathlib import Path

from relatask.core.credentials import split_address
from relatask.core.errors import RelataskError
from relatask.sources.services.http import Client


def add_service(parser: argparse.ArgumentParser, service: str) -> None:
    """Declare the arguments that say how to ask `service`, such as ChEMBL.

    The workflow gives the address in an environment variable: a command line is printed and can be read by
    every user of the machine, and the address may hold a password.
    """
    variable = _variable(service)
    parser.add_argument(
        "--service-url",
        default=os.environ.get(variable),
        metavar="URL",
        help=f"{service}'s web service; without it the environment variable {variable}",
    )
    parser.add_argument("--requests-per-second", type=float, default=1.0, metavar="N")
    parser.add_argument("--answers", required=True, type=Path, metavar="DIR", help="answers as they came")


def client_and_address(arguments: argparse.Namespace, service: str) -> tuple[Client, str]:
    """Return the client of `service` and its address, which holds no login.

    Raises:
        RelataskError: no address is given, or it is none.
    """
    if not arguments.service_url:
        raise RelataskError(f"give the address of {service} as --service-url or in {_variable(service)}.")
    try:
        address, credentials = split_address(arguments.service_url)
    except ValueError as error:
        raise RelataskError(f"--service-url: {error}") from None
    client = Client(service, arguments.answers, arguments.requests_per_second, credentials)
    return client, address


def _variable(service: str) -> str:
    return f"RELATASK_{service.upper()}"
