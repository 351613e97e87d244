"""Messages by Apprise to real receivers on loopback: they come, they never hold a run up, and no URL is shown."""

from __future__ import annotations

import socket
import time

from runner.notify import Letter, Post, masked_url
from tests.wire.receivers import mailbox, webhook

PATIENT_S = 120.0


def letter(*urls: str) -> Letter:
    return Letter(urls=urls, title="db runs 2.0", body="Downtime 1.0 s, ünd more.")


def test_a_webhook_and_a_mailbox_get_title_and_body() -> None:
    with webhook() as hook, mailbox() as box:
        post = Post()
        post.send(letter(hook.url, box.url))
        assert post.wait(PATIENT_S) == ()
        assert (hook.got[0]["title"], hook.got[0]["message"]) == ("db runs 2.0", "Downtime 1.0 s, ünd more.")
        assert "Subject: db runs 2.0" in box.got[0]
        assert "To: ops@example.org" in box.got[0].replace("<", "").replace(">", "")


def test_what_fails_is_said_with_the_service_alone_and_the_others_get_theirs() -> None:
    with webhook(500) as broken, webhook() as hook:
        post = Post()
        post.send(letter("no url", broken.url, hook.url))
        failed = post.wait(PATIENT_S)
        assert failed == (
            "“db runs 2.0” could not be sent to a service whose URL is not one",
            "“db runs 2.0” could not be sent to json://…",
        )
        assert hook.titles == ["db runs 2.0"]


def test_a_service_that_never_answers_holds_nobody_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        post = Post()
        begun = time.monotonic()
        post.send(letter(f"json://127.0.0.1:{silent.getsockname()[1]}"))
        assert post.wait(patience_s=0.0) == ("“db runs 2.0” was not sent in time",)
        assert time.monotonic() - begun < PATIENT_S


def test_nobody_to_tell_starts_no_process() -> None:
    post = Post()
    post.send(letter())
    assert post.wait() == ()


def test_a_url_is_masked_but_for_its_service() -> None:
    assert masked_url("mailto://me:secret@example.org") == "mailto://…"
    assert masked_url("hunter2") == "a service whose URL is not one"
    assert masked_url("hunter 2://x") == "a service whose URL is not one"
