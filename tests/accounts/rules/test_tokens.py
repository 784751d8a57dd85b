import base64
import hmac
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from emoji_gallery.accounts.rules.claims import TokenRefusedError
from emoji_gallery.accounts.rules.tokens import (
    LOCAL_ALGORITHM,
    PUBLIC_ALGORITHMS,
    TokenHeader,
    VerificationKey,
    read_header,
    signed_token,
    verified_payload,
)
from tests.accounts.forge import encoded, jwk, private_key, signed, unsigned

SECRET = b"s" * 32
LOCAL = VerificationKey(LOCAL_ALGORITHM, SECRET)
ALICE = {"sub": "alice"}


@pytest.mark.parametrize("algorithm", PUBLIC_ALGORITHMS)
def test_a_signature_of_the_issuers_key_holds(algorithm: str) -> None:
    key = private_key(algorithm)
    token = signed(ALICE, key, algorithm, kid="k1")

    assert read_header(token) == TokenHeader(algorithm, "k1")
    assert verified_payload(token, VerificationKey(algorithm, key.public_key())) == ALICE


@pytest.mark.parametrize("algorithm", PUBLIC_ALGORITHMS)
def test_a_signature_of_another_key_does_not(algorithm: str) -> None:
    token = signed(ALICE, private_key(algorithm, 1), algorithm)
    key = VerificationKey(algorithm, private_key(algorithm).public_key())

    with pytest.raises(TokenRefusedError, match="signature does not hold"):
        verified_payload(token, key)


def test_the_local_secret_signs_and_verifies() -> None:
    token = signed_token(ALICE, SECRET)

    assert read_header(token) == TokenHeader("HS256", None)
    assert verified_payload(token, LOCAL) == ALICE


def test_a_changed_payload_is_refused() -> None:
    header, _, signature = signed_token(ALICE, SECRET).split(".")

    with pytest.raises(TokenRefusedError, match="signature does not hold"):
        verified_payload(f"{header}.{encoded({'sub': 'bob'})}.{signature}", LOCAL)


def test_a_public_key_is_no_hmac_secret() -> None:
    key = private_key("RS256")
    public = key.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for known in (pem, pem.strip(), json.dumps(jwk(key)).encode()):
        # PyJWT refuses to sign so; whoever forges does not ask it.
        forged = _signed_with_hmac(known)

        with pytest.raises(TokenRefusedError, match="signature does not hold"):
            verified_payload(forged, VerificationKey("RS256", public))


def _signed_with_hmac(secret: bytes) -> str:
    signing_input = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{encoded(ALICE)}"
    signature = hmac.digest(secret, signing_input.encode(), "sha256")
    return f"{signing_input}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
def test_a_token_without_a_signature_is_refused(algorithm: str) -> None:
    token = unsigned(ALICE, alg=algorithm, typ="JWT")

    with pytest.raises(TokenRefusedError, match="algorithm is not accepted"):
        read_header(token)
    with pytest.raises(TokenRefusedError, match="signature does not hold"):
        verified_payload(token, LOCAL)


@pytest.mark.parametrize("algorithm", ["HS384", "HS512", "RS512", "PS256", "ES384", "ES256K", 7])
def test_algorithms_outside_the_contract_are_refused(algorithm: object) -> None:
    with pytest.raises(TokenRefusedError, match="algorithm is not accepted"):
        read_header(unsigned(ALICE, alg=algorithm))


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "application/at+jwt", "AT+JWT"])
def test_access_tokens_say_their_type(typ: str) -> None:
    assert read_header(signed(ALICE, SECRET, "HS256", typ=typ)).algorithm == "HS256"


def test_or_they_say_none() -> None:
    assert read_header(signed(ALICE, SECRET, "HS256", typ=None)).algorithm == "HS256"


@pytest.mark.parametrize("typ", ["logout+jwt", "dpop+jwt", "secevent+jwt", "JWE", 7, ["JWT"]])
def test_tokens_of_another_type_are_refused(typ: object) -> None:
    with pytest.raises(TokenRefusedError, match="another type"):
        read_header(unsigned(ALICE, alg="HS256", typ=typ))


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"crit": "b64"},
        {"crit": ["b64"], "b64": True},
        {"b64": True},
        {"b64": False, "crit": ["b64"]},
        {"kid": 7},
        {"kid": ["k1"]},
        {"kid": "k" * 257},
    ],
)
def test_headers_that_ask_for_more_are_refused(header: dict[str, object]) -> None:
    with pytest.raises(TokenRefusedError):
        read_header(unsigned(ALICE, alg="HS256", **header))


def test_where_keys_are_said_to_be_is_not_asked() -> None:
    token = signed(
        ALICE, SECRET, "HS256", jku="https://evil.test/keys", jwk=jwk(private_key("EdDSA", 1))
    )

    assert read_header(token) == TokenHeader("HS256", None)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b",
        "a.b.c",
        "a.b.c.d.e",
        "e30.e30.",
        "bnVsbA.e30.",
        "W10.e30.",
        "é.é.é",
        "a" * 8193,
        encoded({"alg": "HS256"}) + "." + "[" * 6000 + ".",
        base64.urlsafe_b64encode(b'{"alg":' + b"[" * 5000).decode() + ".e30.",
    ],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(TokenRefusedError):
        read_header(token)


def test_a_token_may_have_8192_characters() -> None:
    token = signed_token({"sub": "alice", "fill": "x" * 5900}, SECRET)
    longest = token + "=" * (8192 - len(token))

    assert len(token) < 8192
    with pytest.raises(TokenRefusedError, match="malformed"):
        read_header(longest)
    with pytest.raises(TokenRefusedError, match="too long"):
        read_header(longest + "=")


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b'"alice"', b"{", b"\xff", b"[" * 5000])
def test_a_signed_payload_that_is_no_object_is_refused(payload: bytes) -> None:
    with pytest.raises(TokenRefusedError, match="malformed"):
        verified_payload(signed(payload, SECRET, "HS256"), LOCAL)


def test_a_short_secret_verifies_nothing() -> None:
    with pytest.raises(TokenRefusedError, match="signature does not hold"):
        verified_payload(signed_token(ALICE, SECRET), VerificationKey("HS256", b"short"))


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=200) | st.from_regex(r"\A[\w-]*\.[\w-]*\.[\w-]*\Z"))
def test_whatever_is_sent_is_no_token(text: str) -> None:
    with pytest.raises(TokenRefusedError):
        verified_payload(text, LOCAL)
