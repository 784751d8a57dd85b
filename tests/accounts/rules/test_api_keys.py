import random

import pytest

from emoji_gallery.accounts.rules.api_keys import digest_of, is_well_formed, new_key, preview_of


def key(seed: int = 1) -> str:
    return new_key(random.Random(seed).choice)


def test_a_new_key_is_well_formed_and_says_what_it_is() -> None:
    assert key().startswith("egk_")
    assert len(key()) == 42
    assert is_well_formed(key())


def test_keys_differ() -> None:
    assert len({key(seed) for seed in range(100)}) == 100


def test_a_key_cut_short_or_changed_is_not_well_formed() -> None:
    whole = key()

    assert not any(is_well_formed(whole[:length]) for length in range(len(whole)))
    for index in range(len("egk_"), len(whole)):
        changed = whole[:index] + ("a" if whole[index] != "a" else "b") + whole[index + 1 :]
        assert not is_well_formed(changed)


@pytest.mark.parametrize("text", ["", "egk_", "egk_" + "é" * 38, "EGK_" + "a" * 38, "a" * 42])
def test_other_texts_are_not_well_formed(text: str) -> None:
    assert not is_well_formed(text)


def test_what_is_stored_does_not_give_the_key_away() -> None:
    whole = key()

    assert len(digest_of(whole)) == 32
    assert digest_of(whole) != digest_of(key(2))
    assert preview_of(whole) == whole[:8]
