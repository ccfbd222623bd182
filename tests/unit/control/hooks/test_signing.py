import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from control.hooks.signing import signed_headers
from storage.hooks.secrets import new_secret

BODY = '{"type": "stream.live", "data": {"title": "Café"}}'.encode()


def test_another_implementation_verifies_the_signature() -> None:
    secret = new_secret()
    headers = signed_headers("msg_1", BODY, [secret], now=int(time.time()))
    assert Webhook(secret).verify(BODY, headers)["type"] == "stream.live"
    for wrong, body in ((new_secret(), BODY), (secret, BODY + b" ")):
        with pytest.raises(WebhookVerificationError):
            Webhook(wrong).verify(body, headers)


def test_two_secrets_give_two_signatures_and_either_verifies() -> None:
    old, new = new_secret(), new_secret()
    headers = signed_headers("msg_1", BODY, [new, old], now=int(time.time()))
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        Webhook(secret).verify(BODY, headers)


def test_the_example_of_the_specification() -> None:
    headers = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        now=1614265330,
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
