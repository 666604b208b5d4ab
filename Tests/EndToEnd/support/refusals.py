# SPDX-License-Identifier: Apache-2.0
"""What a refusal for want of credentials looks like, whatever it is for."""

UNAUTHENTICATED = {
    "credentials_missing": None, "totp_required": "insufficient_user_authentication",
    "credentials_invalid": "invalid_token", "totp_invalid": "invalid_token",
    "session_invalid": "invalid_token"}


def refused(gateway, code, headers, target="/", method="GET", **options):
    """Asserts a 401 of this code and its challenge."""
    return is_refusal(gateway.request(method, target, headers, **options), code)


def is_refusal(response, code):
    assert response.verdict == (401, code), (response.status, response.body)
    challenge = response.get("WWW-Authenticate")
    assert challenge.startswith('Bearer realm="agentport"'), challenge
    error = UNAUTHENTICATED[code]
    if error is None:
        assert "error" not in challenge  # RFC 6750 section 3.1
    else:
        assert f'error="{error}"' in challenge
    return response
