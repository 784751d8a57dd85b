import pytest

from emoji_gallery.accounts.rules.tier_limits import BOUNDS, TierLimitError, check_limits


def test_limits_up_to_their_bounds_are_taken() -> None:
    check_limits({name: least for name, (least, _) in BOUNDS.items()})
    check_limits({name: most for name, (_, most) in BOUNDS.items()})
    check_limits({"upload_limit": None, "anonymous_reads_per_minute": None})


@pytest.mark.parametrize("name", BOUNDS)
def test_one_past_a_bound_is_refused(name: str) -> None:
    least, most = BOUNDS[name]
    for value in (least - 1, most + 1):
        with pytest.raises(TierLimitError, match=f"{name} is from {least} to {most}"):
            check_limits({name: value})


@pytest.mark.parametrize("name", ["max_file_bytes", "reads_per_minute", "max_side"])
def test_most_limits_need_a_number(name: str) -> None:
    with pytest.raises(TierLimitError, match="needs a number"):
        check_limits({name: None})


def test_other_columns_of_a_tier_are_not_limits() -> None:
    with pytest.raises(TierLimitError, match="rank is not a limit"):
        check_limits({"rank": 1})
