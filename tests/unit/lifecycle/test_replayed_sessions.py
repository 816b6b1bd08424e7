"""Which past nights a replay of many takes."""

from datetime import date, timedelta

from commands.replay import chosen

PUBLISHED = [date(2013, 3, 1) + timedelta(days=number) for number in range(20)]


def test_a_range_takes_the_published_nights_in_it() -> None:
    """Either end may be left open."""
    assert chosen(PUBLISHED, within="2013-03-03...2013-03-05") == PUBLISHED[2:5]
    assert chosen(PUBLISHED, within="2013-03-19...") == PUBLISHED[18:]
    assert chosen(PUBLISHED, within="...2013-03-02") == PUBLISHED[:2]
    assert chosen(PUBLISHED, within="") == PUBLISHED


def test_a_draw_is_of_the_range_and_follows_its_seed() -> None:
    """Nobody could repeat what was found otherwise; the same nights for ever would prove less."""
    drawn = chosen(PUBLISHED, within="2013-03-05...", at_random=6, seed=1)
    assert drawn == chosen(PUBLISHED, within="2013-03-05...", at_random=6, seed=1)
    assert len(set(drawn)) == 6
    assert drawn == sorted(drawn)
    assert set(drawn) <= set(PUBLISHED[4:])
    assert drawn != chosen(PUBLISHED, within="2013-03-05...", at_random=6, seed=2)


def test_a_draw_of_more_than_there_are_takes_all() -> None:
    """A young desk is replayed whole."""
    assert chosen(PUBLISHED, within="", at_random=50) == PUBLISHED
