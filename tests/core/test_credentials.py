"""A password or token in an address is used for requests to its server, and never shown."""

import logging

import pytest

from relatask.core.credentials import Credentials, hidden, split_address
from relatask.core.errors import RelataskError


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see http://me:pw@a.example/x", "see http://***@a.example/x"),
        ("http://token@a.example", "http://***@a.example"),
        ("http://me:p@ss/w@a.example/x, then", "http://***@a.example/x, then"),
        ("'http://me:pw@a.example' \"http://b.example\"", "'http://***@a.example' \"http://b.example\""),
        ("https://a.example/x?api_key=s3cr3t&limit=2", "https://a.example/x?api_key=***&limit=2"),
        ("https://a.example/?limit=2&X-Amz-Signature=ab12", "https://a.example/?limit=2&X-Amz-Signature=***"),
        ("/x?access_token=s3cr3t#y", "/x?access_token=***#y"),
        ("https://a.example/x?only=target_chembl_id", "https://a.example/x?only=target_chembl_id"),
        ("me@a.example and token=1", "me@a.example and token=1"),
    ],
)
def test_logins_and_tokens_are_hidden(text: str, shown: str) -> None:
    assert hidden(text) == shown
    assert str(RelataskError(text)) == shown


def test_a_long_text_is_hidden_in_no_time() -> None:
    assert hidden("http://" + "://a" * 20_000 + "?token" * 20_000).startswith("http://")


def test_an_address_is_split_into_what_may_be_shown_and_what_not() -> None:
    address, credentials = split_address("https://us%65r:p%40ss@A.example:8443/api/?key=s%2B1&v=2")
    assert address == "https://A.example:8443/api"
    assert credentials.login == ("user", "p@ss")
    assert credentials.query == (("key", "s+1"), ("v", "2"))
    assert split_address(" http://a.example/api/ ") == (
        "http://a.example/api",
        Credentials(("http", "a.example", 80)),
    )


@pytest.mark.parametrize(
    "address", ["", "a.example", "ftp://me:pw@a.example", "http://", "http://[", "http://me:p/w@a.example"]
)
def test_what_is_no_address_is_told_without_its_login(address: str) -> None:
    with pytest.raises(ValueError, match="is not an address") as caught:
        split_address(address)
    assert "p/w" not in str(caught.value)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://a.example/x?y=1", True),
        ("http://a.example:80/", True),
        ("https://a.example/", True),  # the same server, with encryption
        ("http://a.example:8080/", False),
        ("http://b.example/", False),
        ("http://a.example.b.example/", False),
    ],
)
def test_only_its_own_server_gets_a_login(url: str, sent: bool) -> None:
    _, credentials = split_address("http://me:pw@a.example/api?key=1")
    expected = {"auth": ("me", "pw"), "params": {"key": "1"}} if sent else {"auth": None, "params": {}}
    assert credentials.options_for(url) == expected


def test_an_encrypted_login_is_never_sent_without_encryption() -> None:
    _, credentials = split_address("https://me:pw@a.example/api")
    assert credentials.options_for("http://a.example/api")["auth"] is None


def test_secrets_that_a_server_repeats_are_hidden() -> None:
    _, credentials = split_address("http://me:long%20password@a.example/api?key=9606&token=a%2Bb45678")
    said = b'{"next": "/x?key=9606&limit=1", "taxon": 9606, "you": "a+b45678 a%2Bb45678 long password"}'
    assert credentials.hide(said) == b'{"next": "/x?key=***&limit=1", "taxon": 9606, "you": "*** *** ***"}'
    assert credentials.hide(b"?key=96067&monkey=9606") == b"?key=96067&monkey=9606"
    assert credentials.without("http://a.example/x?key=9606&limit=1&token=y") == "http://a.example/x?limit=1"
    assert credentials.without("http://a.example/x?key=9606") == "http://a.example/x"
    assert credentials.without("http://a.example/x") == "http://a.example/x"


def test_the_log_of_a_step_hides_them_also_in_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    from relatask import __main__ as command

    command._start_log(str(tmp_path / "step.log"))
    try:
        raise ValueError("http://me:pw@a.example")
    except ValueError:
        logging.exception("failed at %s:", "http://me:pw@b.example")
    written = (tmp_path / "step.log").read_text()
    assert "http://***@a.example" in written
    assert "http://***@b.example" in written
    assert "me:pw" not in written + capsys.readouterr().err
