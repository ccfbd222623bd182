import base64

import pytest

from storage.hooks.secrets import new_secret, secret_bytes


def test_a_secret_has_enough_bytes() -> None:
    assert len(secret_bytes(new_secret())) == 32


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "whsec_",
        "whsec_not base64!",
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_ü",
    ],
)
def test_what_is_no_secret_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match="openssl rand -base64 32"):
        secret_bytes(text)
