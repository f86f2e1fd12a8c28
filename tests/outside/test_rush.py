"""A rush: 400 parties of one to three on 12 seats, from 32 connections, each asking twice at the same time."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from client import build
from crowd import Asked, line_is_lawful, real_time_order_holds
from words import CONFIRMED, WAITLISTED, E, World, party

SEATS, PARTIES, CONNECTIONS = 12, 400, 32


def rush(server, event):
    """Everybody at once; answers what each heard, the two callings of a party side by side."""
    dice = random.Random(20250113)
    requests = [build("CreateRegistration", parent=event, registration=party(dice.randint(1, 3)))
                for _ in range(PARTIES)]
    worlds = [World.visiting(server.address) for _ in range(CONNECTIONS)]
    turns = [(i, n) for n in (0, 1) for i in range(PARTIES)]
    dice.shuffle(turns)
    # Half of the second callings go out beside the first, the others whenever their turn comes.
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        def call(turn, at):
            return turn, Asked("CreateRegistration", requests[turn[0]]).send(worlds[at % CONNECTIONS].api)
        heard = dict(pool.map(call, turns, range(len(turns))))
    return [(heard[i, 0], heard[i, 1]) for i in range(PARTIES)]


@pytest.mark.parametrize("fit", ["hold", "skip"])
def test_a_rush_is_decided_in_the_order_of_the_accepted_numbers(world, server, fit):
    policy = E.WaitlistPolicy(party_fit=E.PARTY_FIT_SKIP if fit == "skip" else E.PARTY_FIT_HOLD)
    event = world.open(seats=SEATS, waitlist_policy=policy)
    heard = rush(server, event)
    unanswered = [str(a.refusal) for pair in heard for a in pair if not a.answer]
    assert not unanswered, f"somebody was not answered: {unanswered[:3]}"
    assert all(a.answer == b.answer for a, b in heard), "a repeated request was answered otherwise"
    first = [min(pair, key=lambda a: a.returned) for pair in heard]
    for pair, asked in zip(heard, first):
        asked.called = min(a.called for a in pair)
    real_time_order_holds(first)
    answers = sorted((a.answer.registration for a in first), key=lambda r: r.accepted_number)
    assert [(r.accepted_number, r.state, r.position) for r in answers] == list(decided(answers, fit))
    counts = world.counts(event)
    assert (counts.applied_parties, counts.confirmed_persons + counts.free) == (PARTIES, SEATS)
    if fit == "hold":
        line_is_lawful(world, event, SEATS)


def decided(answers, fit, most_passed_over=3):
    """What each must have heard, worked out from the accepted numbers and sizes alone."""
    free, waiting, passed_over = SEATS, 0, 0
    for r in answers:
        may = not waiting or (fit == "skip" and passed_over < most_passed_over)
        # Nobody who waits fits: a party only waits as it was too large or somebody larger held the line.
        if may and r.party_size <= free and not (waiting and held_up(answers, r, free)):
            free -= r.party_size
            passed_over += bool(waiting)
            yield r.accepted_number, CONFIRMED, 0
        else:
            waiting += 1
            yield r.accepted_number, WAITLISTED, waiting


def held_up(answers, newcomer, free):
    """Whether somebody who waits before the newcomer would fit into the free seats."""
    before = [r for r in answers if r.accepted_number < newcomer.accepted_number and r.state == WAITLISTED]
    return any(r.party_size <= free for r in before)
