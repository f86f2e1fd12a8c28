"""A management token ends with the contact that it was sent to; the request that ended it tells the next one again, also after
a kill and to whoever bears the token that it ended."""

import pytest
from client import Api, Refused
from words import R, World, contact, mask, new_id, party


def to_another_contact(name, **fields):
    return dict(registration=R.Registration(name=name, contact=contact()), update_mask=mask("contact"),
                request_id=new_id(), **fields)


def refused(call, **fields):
    with pytest.raises(Refused) as caught:
        call(**fields)
    return caught.value.reason


def test_the_next_token_is_told_again_after_kill_9_and_the_one_before_never_counts_again(new_server):
    server = new_server()
    world = World(server.address)
    made = world.create(world.open(seats=2), party())
    name, first = made.registration.name, made.management_token
    family = Api(server.address, vouches=False)
    correction = to_another_contact(name, management_token=first)
    answer = family.UpdateRegistration(**correction)
    second = answer.management_token
    assert len(second) == 43 and second != first
    server.kill()
    server.start()
    family = Api(server.address, vouches=False)
    assert refused(family.GetRegistration, name=name, management_token=first) == "TOKEN_INVALID"
    assert family.GetRegistration(name=name, management_token=second).registration.name == name
    assert family.UpdateRegistration(**correction) == answer
    # Whoever has the old token and any other request is a stranger.
    assert refused(family.UpdateRegistration, **{**correction, "request_id": new_id()}) == "TOKEN_INVALID"
    assert refused(family.UpdateRegistration, **to_another_contact(name, management_token=first)) == "TOKEN_INVALID"
    by_staff = to_another_contact(name)
    third = Api(server.address).UpdateRegistration(**by_staff).management_token
    assert refused(family.UpdateRegistration, **by_staff) == "TOKEN_INVALID"
    assert refused(family.CancelRegistration, name=name, management_token=second) == "TOKEN_INVALID"
    assert family.UpdateRegistration(**correction) == answer, "what was answered is answered again"
    family.CancelRegistration(name=name, management_token=third)
    assert refused(family.UpdateRegistration, **to_another_contact(name, management_token=third)) == "ILLEGAL_STATE"
    assert family.ExportRegistration(name=name, management_token=third).registration.name == name
    assert server.stop() == 0
    server.must_check()
    for token in (first, second, third):
        assert token not in server.log_text()
