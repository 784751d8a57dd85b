import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import OKPAlgorithm

from emoji_gallery.accounts.rules.key_sets import MAX_KEYS, KeySetError, read_key_set
from emoji_gallery.accounts.rules.tokens import PUBLIC_ALGORITHMS, TokenHeader
from tests.accounts.forge import jwk, key_set, private_key


@pytest.mark.parametrize("algorithm", PUBLIC_ALGORITHMS)
def test_a_key_is_found_by_its_algorithm_and_kid(algorithm: str) -> None:
    keys = read_key_set(key_set(jwk(private_key(algorithm), kid="k1", use="sig", alg=algorithm)))

    found = keys.find(TokenHeader(algorithm, "k1"))
    assert found is not None
    assert found.algorithm == algorithm
    assert keys.find(TokenHeader(algorithm, "k2")) is None


def test_a_key_is_found_for_no_other_algorithm() -> None:
    keys = read_key_set(key_set(jwk(private_key("RS256"), kid="k1")))

    assert keys.find(TokenHeader("HS256", "k1")) is None
    assert keys.find(TokenHeader("ES256", "k1")) is None


def test_two_kinds_of_key_may_share_a_kid() -> None:
    keys = read_key_set(
        key_set(jwk(private_key("EdDSA"), kid="now"), jwk(private_key("ES256"), kid="now"))
    )

    assert keys.find(TokenHeader("EdDSA", "now")) is not None
    assert keys.find(TokenHeader("ES256", "now")) is not None


def test_without_a_kid_the_only_key_of_the_algorithm_is_meant() -> None:
    keys = read_key_set(
        key_set(
            jwk(private_key("EdDSA"), kid="k1"),
            jwk(private_key("ES256"), kid="k2"),
            jwk(private_key("ES256", 1), kid="k3"),
        )
    )

    assert keys.find(TokenHeader("EdDSA", None)) is not None
    assert keys.find(TokenHeader("ES256", None)) is None


def test_a_key_without_a_kid_serves_tokens_without_one() -> None:
    keys = read_key_set(key_set(jwk(private_key("EdDSA"))))

    assert keys.find(TokenHeader("EdDSA", None)) is not None


def test_of_two_keys_with_one_name_the_first_stays() -> None:
    first = private_key("EdDSA")
    keys = read_key_set(key_set(jwk(first, kid="k"), jwk(private_key("EdDSA", 1), kid="k")))

    found = keys.find(TokenHeader("EdDSA", "k"))
    assert found is not None
    assert found.material == first.public_key()


def unusable() -> list[object]:
    ed, elliptic, big = private_key("EdDSA"), private_key("ES256"), private_key("RS256")
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
    other_curve = ec.generate_private_key(ec.SECP384R1())
    assert isinstance(ed, ed25519.Ed25519PrivateKey)
    with_private_part = OKPAlgorithm.to_jwk(ed, as_dict=True)
    assert "d" in with_private_part
    return [
        "text",
        None,
        {},
        {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U", "kid": "k"},
        {"kty": "OKP", "crv": "Ed448", "x": "AAAA"},
        {"kty": "OKP", "crv": "Ed25519"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
        {"kty": "OKP", "crv": "Ed25519", "x": 7},
        {"kty": "OKP", "crv": ["Ed25519"], "x": "AAAA"},
        {"kty": "RSA", "n": "AQAB"},
        {"kty": "RSA", "n": "", "e": ""},
        {"kty": ["RSA"]},
        # A point that is not on the curve.
        {**jwk(elliptic), "y": jwk(private_key("ES256", 1))["y"]},
        with_private_part,
        jwk(small),
        jwk(other_curve),
        jwk(ed, use="enc"),
        jwk(ed, key_ops=["sign"]),
        jwk(ed, key_ops="verify"),
        jwk(ed, alg="ES256"),
        jwk(big, alg="HS256"),
        jwk(big, alg="PS256"),
        jwk(big, alg="none"),
        jwk(ed, kid=7),
        jwk(ed, kid="k" * 257),
    ]


def test_keys_that_are_of_no_use_here_are_left_out() -> None:
    for entry in unusable():
        with pytest.raises(KeySetError, match="no usable key"):
            read_key_set(key_set(entry))


def test_one_usable_key_among_others_is_enough() -> None:
    good = jwk(private_key("EdDSA"), kid="good", key_ops=["verify"])

    keys = read_key_set(key_set(*unusable(), good))

    assert set(keys.keys) == {("EdDSA", "good")}


def test_a_long_set_is_read_to_its_bound() -> None:
    entry = jwk(private_key("EdDSA"))
    document = key_set(*({**entry, "kid": str(number)} for number in range(MAX_KEYS + 1)))

    assert len(read_key_set(document).keys) == MAX_KEYS


@pytest.mark.parametrize(
    "document", [b"", b"<html>", b"[]", b"{}", b'{"keys": {}}', b"\xff", b"[" * 100_000]
)
def test_other_documents_are_refused(document: bytes) -> None:
    with pytest.raises(KeySetError):
        read_key_set(document)
