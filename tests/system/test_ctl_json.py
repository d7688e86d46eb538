"""What --json promises in posternctl(8): each line's members, in order, and
what they are."""
import json
import pathlib
import re

import pytest

from test_ctl import resumed, waiting  # noqa: F401 (fixtures)

MANUAL = pathlib.Path(__file__).parents[2] / "man/posternctl.8"


def text(value):
    return isinstance(value, str)


def number(value):
    return type(value) is int and value >= 0


def boolean(value):
    return isinstance(value, bool)


def time(value):
    return isinstance(value, str) and bool(re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value))


def time_or_null(value):
    return value is None or time(value)


def ident(value):
    return isinstance(value, str) and bool(re.fullmatch(r"[0-9a-z]{13}", value))


def number_or_null(value):
    return value is None or number(value)


def ident_or_none(value):
    return value == "" or ident(value)


def aliases(value):
    return isinstance(value, list) and all(
        list(a) == list(ALIAS) and all(ALIAS[k](v) for k, v in a.items())
        for a in value)


def one_of(*words):
    return lambda value: value in words


def base64(value):
    return isinstance(value, str) and bool(re.fullmatch(
        r"[A-Za-z0-9+/]*={0,2}", value)) and len(value) % 4 == 0


ALIAS = {"key": text, "mailbox": text, "table": text, "file": text,
         "line": number}
STATE = one_of("waiting", "held", "failed", "delivered")
ITEM = {
    "id": ident, "arrival": time, "size": number, "sender": text,
    "number": number, "recipient": text, "original": text,
    "route": one_of("mailbox", "relay", "mx"), "name": text, "user": text,
    "destination": text, "state": STATE, "in_flight": boolean,
    "attempts": number, "next_try": time_or_null, "host": text, "reply": text,
    "notify": text, "orcpt": text, "paused": boolean}
MESSAGE = {
    "id": ident, "arrival": time, "size": number, "client": text,
    "helo": text, "user": text, "protocol": text,
    "body": one_of("7BIT", "8BITMIME"), "sender": text,
    "ret": one_of("", "FULL", "HDRS"), "envid": text,
    "content_base64": base64}
EVENT = {
    "id": ident, "time": time, "event": one_of(
        "accepted", "delivered", "deferred", "failed", "held", "released",
        "retried", "removed", "bounced", "warned", "expired", "tried",
        "redirected"),
    "address": text, "sender": text, "original": text, "destination": text,
    "host": text, "detail": text, "recipient": number, "helo": text,
    "user": text, "protocol": text, "size": number, "config": text,
    "rule": number, "aliases": aliases, "aliases_cut": boolean,
    "route": one_of("", "mailbox", "relay", "mx"), "name": text,
    "owner": text, "host_address": text, "port": number, "tls_version": text,
    "tls_cipher": text, "took_ms": number, "attempt": number,
    "next_try": time_or_null, "by_uid": number_or_null,
    "report": ident_or_none, "dropped": number}
STAT = {"name": text, "value": number, "help": text,
        "type": one_of("counter", "gauge")}
GROUP = {"recipients": number, "oldest": time, "state": STATE,
         "paused": boolean, "destination": text, "reason": text,
         "next_try": time_or_null}
DESTINATION = {
    "destination": text, "waiting": number, "held": number, "failed": number,
    "in_flight": number, "deliveries": number, "window": number,
    "failures": number, "backoff_until": time_or_null,
    "next_try": time_or_null, "reply": text, "paused": boolean}
ACT = {"verb": one_of("retry", "hold", "release", "remove", "bounce",
                       "redirect"),
       "recipients": number}
REDIRECTED = {"id": ident, "made": ident, "recipients": number,
              "code": one_of(250), "reply": text}
REFUSED = {**REDIRECTED, "made": one_of(""), "code": one_of(550)}
PAUSE = {"verb": one_of("pause", "resume"), "destination": text,
         "changed": boolean}


LISTENING = {"verb": one_of("pause", "resume"), "listening": boolean,
             "changed": boolean}


def check(row, schema):
    assert list(row) == list(schema)
    wrong = {k: v for k, v in row.items() if not schema[k](v)}
    assert not wrong, row


def rows(postern, *words):
    lines = postern.ctl(*words, "--json").stdout.splitlines()
    assert lines
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("words, schema", [
    (["queue"], ITEM), (["why", "ID"], ITEM), (["trace", "ID"], EVENT),
    (["trace", "someone@other.test"], EVENT), (["stats"], STAT),
    (["summary"], GROUP), (["destinations"], DESTINATION),
    (["retry", "ID"], ACT), (["hold", "ID"], ACT), (["release", "ID"], ACT),
    (["remove", "--dry-run", "ID"], ITEM),
    (["pause", "mx:other.test"], PAUSE), (["resume", "mx:other.test"], PAUSE),
    (["pause", "--listening"], LISTENING),
    (["resume", "--listening"], LISTENING),
    (["pause", "--all"], PAUSE), (["resume", "--all"], PAUSE),
    (["remove", "ID"], ACT), (["bounce", "ID"], ACT)], ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_each_line(postern, waiting, resumed, words, schema):
    if words[0] == "release":
        postern.ctl("hold", waiting[0])
    if words[0] == "resume":
        postern.ctl("pause", *words[1:])
    for row in rows(postern, *(waiting[0] if w == "ID" else w
                               for w in words)):
        check(row, schema)


def test_show(postern, waiting):
    """The message, then its recipients."""
    first, *others = rows(postern, "show", waiting[0])
    check(first, MESSAGE)
    assert others
    for row in others:
        check(row, ITEM)


@pytest.mark.parametrize("to, schema", [
    ("carol@here.test", REDIRECTED), ("nobody@here.test", REFUSED)])
def test_redirect(postern, waiting, to, schema):
    """What became of each message, then how many recipients."""
    lines = postern.ctl("redirect", waiting[0], "--to", to, "--json",
                        check=False).stdout.splitlines()
    first, last = (json.loads(line) for line in lines)
    check(first, schema)
    check(last, ACT)
    assert last["recipients"] == (schema is REDIRECTED)


@pytest.mark.parametrize("verb, done", [
    ("retry", "due now"), ("hold", "held"), ("remove", "removed"),
    ("bounce", "given up, with a report to the sender"),
    ("release", "released")])
def test_a_dry_run_ends_in_a_count(postern, waiting, verb, done):
    if verb == "release":
        postern.ctl("hold", waiting[0])
    shown = postern.ctl(verb, "--dry-run", "--recipient",
                        "someone@other.test").stdout.splitlines()
    assert len(shown) == 2
    assert shown[0].startswith(waiting[0])
    assert shown[1] == f"1 recipient would be {done}"
    nobody = postern.ctl(verb, "--dry-run", "--recipient", "x@y.test").stdout
    assert nobody == f"0 recipients would be {done}\n"


def test_the_manual_tells_of_every_member():
    section = MANUAL.read_text().split(".Ss JSON")[1].split(".Sh ")[0]
    named = set(re.findall(r"^\.Li ([a-z_0-9]+)", section, re.M))
    for schema in (ITEM, MESSAGE, EVENT, ALIAS, STAT, GROUP, DESTINATION, ACT,
                   REDIRECTED, PAUSE, LISTENING):
        assert set(schema) <= named, set(schema) - named


def test_no_command_is_left_out():
    """Each that has --json has its lines checked here."""
    root = pathlib.Path(__file__).parents[2]
    commands = re.findall(r'\{ "([a-z]+)", (?:[^{}]*?)\}',
                          (root / "ctl/main.c").read_text().split(
                              "commands[] = {")[1].split("};")[0])
    table = (root / "ctl/main.c").read_text().split("commands[] = {")[1]
    with_json = {name for name in commands if "OPTIONS_JSON" in
                 table.split(f'{{ "{name}"')[1].split("}")[0]}
    here = pathlib.Path(__file__).read_text()
    tested = {name for name in with_json if f'["{name}"' in here or
              f'"{name}", waiting' in here}
    assert len(with_json) >= 14 and tested == with_json
