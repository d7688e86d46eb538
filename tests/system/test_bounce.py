"""What cannot be delivered comes back to its sender: once, and as RFC 3464
has it."""
import email
import email.policy
import email.utils
import os
import shutil
import signal
import smtplib
import time
import uuid

import pytest

from lab import Postern, ScriptedServer, wait_for
from terminal import Terminal
from test_send import arrived, gone, item, script, submit

HERE = "192.0.2.10"


@pytest.fixture
def scripted(lab):
    servers = []

    def start(talk):
        servers.append(ScriptedServer(lab.hosts["other"], talk))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def domain():
    return f"{uuid.uuid4().hex[:8]}.other.test"


@pytest.fixture(autouse=True)
def no_mail(lab):
    lab.empty_mailboxes()


def reports(lab, user, text):
    """The messages of a user that speak of this, parsed."""
    return [email.message_from_string(m, policy=email.policy.default)
            for m in lab.mail_of(user).values() if text in m]


def one_report(lab, user, text):
    wait_for("a report", lambda: reports(lab, user, text))
    found = reports(lab, user, text)
    assert len(found) == 1
    report = found[0]
    for part in report.walk():
        assert part.defects == []
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    assert report["Auto-Submitted"] == "auto-replied"
    assert "MAILER-DAEMON@mail.here.test" in report["From"]
    words, status, original = report.iter_parts()
    assert words.get_content_type() == "text/plain"
    assert status.get_content_type() == "message/delivery-status"
    return report, words.get_content(), status.get_payload(), original


def test_refused_mail_comes_back(postern, lab, client, scripted, domain):
    scripted(script(RCPT="550-5.1.1 no such\n550 5.1.1 person"))
    ident, token = submit(client, f"someone@{domain}", "bob@here.test")
    report, words, fields, original = one_report(lab, "bob", token)
    assert report["To"] == "bob@here.test"
    assert f"someone@{domain}" in words and "person" in words
    assert fields[0]["Reporting-MTA"] == "dns; mail.here.test"
    assert fields[1]["Final-Recipient"] == f"rfc822; someone@{domain}"
    assert fields[1]["Action"] == "failed"
    assert fields[1]["Status"] == "5.1.1"
    assert "550-5.1.1 no such 550 5.1.1 person" in \
        fields[1]["Diagnostic-Code"]
    assert original.get_content_type() == "message/rfc822"
    assert f"body {token}" in original.get_content().get_content()
    gone(postern, ident)
    trace = postern.ctl("trace", ident).stdout
    assert "failed" in trace and "bounced" in trace


def test_one_report_for_three(postern, lab, client, scripted, domain):
    scripted(script(RCPT="550 5.1.1 nobody"))
    wanted = {f"{name}@{name}.{domain}" for name in "abc"}
    ident, token = submit(client, sorted(wanted), "bob@here.test")
    _, _, fields, _ = one_report(lab, "bob", token)
    assert {f["Final-Recipient"].split("; ")[1] for f in fields[1:]} == wanted
    gone(postern, ident)
    time.sleep(4)
    assert len(reports(lab, "bob", token)) == 1


def test_unknown_sender_tells_the_administrator(
        postern, lab, client, scripted, domain):
    scripted(script(RCPT="550 5.1.1 nobody"))
    ident, token = submit(client, f"x@{domain}", "nobody@here.test")
    report, words, _, _ = one_report(lab, "alice", token)
    assert report["To"] == "alice@here.test"
    assert "<nobody@here.test>" in words
    assert f"report-refused id={ident} " in postern.log()
    gone(postern, ident)


def test_mail_from_nobody(postern, lab, client, scripted, domain):
    """Somebody's report that cannot be delivered: a notice, once."""
    scripted(script(RCPT="550 5.1.1 nobody"))
    ident, token = submit(client, f"x@{domain}", "")
    report, words, _, _ = one_report(lab, "alice", token)
    assert report["To"] == "alice@here.test"
    assert "can be given to nobody" in report["Subject"]
    assert "It has no sender" in words and ident in words
    gone(postern, ident)
    time.sleep(4)
    assert len(reports(lab, "alice", token)) == 1


def test_a_sender_elsewhere_is_told(postern, client, there, scripted, domain):
    """The router finds the way of a report as that of other mail."""
    scripted(script(RCPT="550 5.1.1 nobody"))
    ident, token = submit(client, f"x@{domain}", "someone@there.test")
    report, = arrived(there, token)
    assert "report-type=delivery-status" in report
    gone(postern, ident)


def fields_of(lab, user, token):
    return one_report(lab, user, token)[2]


def test_fields_as_the_rfcs_have_them(postern, lab, client, scripted, domain):
    """RFC 3461 6.3, RFC 3464 2.3: nothing is there that must not be."""
    scripted(script(RCPT="550 5.1.1 nobody"))
    _, token = submit(client, f"x@{domain}", "bob@here.test")
    _, to = fields_of(lab, "bob", token)
    assert to["Original-Recipient"] is None
    assert to["Remote-MTA"] == "dns; mx.other.test"
    assert to["Diagnostic-Code"] == "smtp; 550 5.1.1 nobody"
    assert abs(email.utils.parsedate_to_datetime(
        to["Last-Attempt-Date"]).timestamp() - time.time()) < 30
    assert to["Will-Retry-Until"] is None


class Mutt(Terminal):
    """Somebody's mailbox in a mail program that is not ours."""

    def __init__(self, lab, user, directory):
        box = directory / "Maildir"
        shutil.copytree(lab.homes / user / "Maildir", box)
        (directory / "muttrc").write_text(
            f'set folder="{directory}"\nset spoolfile="{box}"\n'
            'set wait_key=no\nset markers=no\n')
        super().__init__(directory, "mutt", "-n", "-F", directory / "muttrc",
                         "-R", "-f", box, columns=80, lines=48)


def test_a_person_reads_it(postern, lab, client, scripted, domain, tmp_path):
    scripted(script(RCPT="550-5.1.1 Nobody of that name\n"
                    "550 5.1.1 lives here"))
    ident, token = submit(client, f"someone@{domain}", "bob@here.test")
    wait_for("a report", lambda: reports(lab, "bob", token))
    mutt = Mutt(lab, "bob", tmp_path)
    try:
        # The list: what it is about, and that it comes from no person.
        screen = mutt.shows("Your message could not be delivered")
        assert "Mail system" in screen
        mutt.press("Enter")
        screen = mutt.shows("It could not be delivered to:")
        lines = [line.strip() for line in screen.splitlines()]
        assert "Subject: Your message could not be delivered" in lines
        assert token in lines
        at = lines.index("It could not be delivered to:")
        assert lines[at + 2] == f"<someone@{domain}>"
        assert lines[at + 3].startswith("mx.other.test[")
        assert lines[at + 3].endswith(" said:")
        assert lines[at + 4:at + 6] == [
            "550-5.1.1 Nobody of that name", "550 5.1.1 lives here"]
        assert "look whether the address is right" in " ".join(lines)
        assert f"number {ident}." in " ".join(lines)
        # The parts.
        mutt.press("v")
        screen = mutt.shows("The message")
        for part in ("What happened", "The same, for programs"):
            assert part in screen
        mutt.press("q")
    finally:
        mutt.close()


def test_no_report_about_a_report(postern, lab, client, scripted, domain):
    """The sender's host refuses the report: the administrator has a notice,
    once, and nobody else anything."""
    server = scripted(script(RCPT="550 5.1.1 nobody"))
    ident, token = submit(client, f"x@{domain}", f"sender@s.{domain}")
    one_report(lab, "alice", f"s.{domain}")
    gone(postern, ident)
    wait_for("an empty queue", lambda: not postern.ctl_json("queue"))
    time.sleep(4)
    assert len(reports(lab, "alice", f"s.{domain}")) == 1
    senders = [line for t in server.transcripts for line in t
               if line.startswith("MAIL")]
    assert sum("<>" in line for line in senders) == 1


def test_a_report_that_comes_back(postern, lab, client, scripted, domain):
    """The administrator's mail goes on to a host that forwards it to an address
    that fails here: no notice about the notice, which might do the same."""
    scripted(script(RCPT="550 5.1.1 nobody"))
    _, token = submit(client, f"x@{domain}", "")
    report, _, _, _ = one_report(lab, "alice", token)
    with client.smtp(HERE) as smtp:
        smtp.ehlo()
        smtp.mail("")
        assert smtp.rcpt(f"y@{domain}")[0] == 250
        code, reply = smtp.data(report.as_bytes(policy=email.policy.SMTP))
        assert code == 250
    ident = reply.decode().split()[-1]
    wait_for("the log", lambda: f"report-given-up id={ident}: " in
             postern.log())
    time.sleep(4)
    assert item(postern, ident)["state"] == "failed"
    assert len(reports(lab, "alice", token)) == 1
    assert "removed" in postern.ctl("remove", ident).stdout


def test_a_loop_is_refused_and_tells_nobody(postern, lab, stranger):
    """What says that it was in this mailbox before is not accepted: whoever is
    named as its sender, and perhaps is not, hears nothing."""
    token = uuid.uuid4().hex
    mail = f"Delivered-To: carol@here.test\nSubject: {token}\n\nx\n"
    with stranger.smtp(HERE) as smtp:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            smtp.sendmail("bob@here.test", ["carol@here.test"], mail)
        assert refused.value.smtp_code == 554
        assert b"5.4.6" in refused.value.smtp_error
        # Who has not had it gets it.
        smtp.sendmail("bob@here.test", ["dave@here.test"], mail)
    wait_for("the mail", lambda: [
        m for m in lab.mail_of("dave").values() if token in m])
    wait_for("an empty queue", lambda: not postern.ctl_json("queue"))
    assert not lab.mail_of("carol") and not reports(lab, "bob", token)


def test_posternctl_bounce(postern, lab, client, scripted, domain):
    scripted(script(RCPT="450 4.2.0 later"))
    ident, token = submit(client, f"x@{domain}", "bob@here.test")
    wait_for("an attempt", lambda: (
        lambda r: r and r["attempts"] and not r["in_flight"])(
            item(postern, ident)))
    assert "1 recipient would be" in \
        postern.ctl("bounce", "--dry-run", ident).stdout
    assert item(postern, ident)["state"] == "waiting"
    assert "1 recipient given up" in postern.ctl("bounce", ident).stdout
    _, _, fields, _ = one_report(lab, "bob", token)
    assert fields[1]["Action"] == "failed"
    assert fields[1]["Status"] == "5.4.7"
    gone(postern, ident)


def test_success_is_told_to_who_asked(postern, lab, client, scripted, domain):
    """To a mailbox, and to a host that sends no reports; and nobody else
    hears of it."""
    scripted(script())
    for recipient, action in (("carol@here.test", "delivered"),
                              (f"x@{domain}", "relayed")):
        token = uuid.uuid4().hex
        with client.smtp(HERE) as smtp:
            smtp.sendmail("bob@here.test", [recipient],
                          f"Subject: {token}\n\nx\n",
                          ["RET=HDRS", "ENVID=QQ1"], ["NOTIFY=SUCCESS"])
        wait_for("a report", lambda: reports(lab, "bob", token))
        report, = reports(lab, "bob", token)
        _, status, original = report.iter_parts()
        about, to = status.get_payload()
        assert about["Original-Envelope-Id"] == "QQ1"
        assert to["Action"] == action
        assert to["Status"].startswith("2.")
        assert original.get_content_type() == "text/rfc822-headers"
    wait_for("an empty queue", lambda: not postern.ctl_json("queue"))


def test_nobody_asked(postern, lab, client, scripted, domain):
    """NOTIFY=NEVER: it is gone, and nobody hears of it."""
    scripted(script(RCPT="550 5.1.1 nobody"))
    token = uuid.uuid4().hex
    with client.smtp(HERE) as smtp:
        smtp.sendmail("bob@here.test", [f"x@{domain}"],
                      f"Subject: {token}\n\nx\n", [], ["NOTIFY=NEVER"])
    wait_for("the attempt", lambda: f"to=\"x@{domain}\" destination" in
             postern.log())
    wait_for("an empty queue", lambda: not postern.ctl_json("queue"))
    time.sleep(4)
    assert not reports(lab, "bob", token)
    assert not reports(lab, "alice", token)


def test_delay_is_told_once(lab, client, scripted, config, domain):
    scripted(script(RCPT="450 4.2.0 later"))
    other = Postern(lab.hosts["second"], config.replace(
        "mail.here.test", "second.here.test") +
        "\nwarn after 3s\nretry from 1s to 2s for 1h\n", name="second")
    try:
        ident, token = submit(client, f"x@{domain}", "bob@here.test",
                              "192.0.2.60")
        wait_for("a warning", lambda: reports(lab, "bob", token), 30)
        report, = reports(lab, "bob", token)
        words, status, original = report.iter_parts()
        assert "need not send it again" in words.get_content()
        fields = status.get_payload()[1]
        assert fields["Action"] == "delayed"
        assert fields["Status"] == "4.2.0"
        assert fields["Will-Retry-Until"]
        assert original.get_content_type() == "text/rfc822-headers"
        time.sleep(6)
        assert len(reports(lab, "bob", token)) == 1
        assert item(other, ident)["state"] == "waiting"
    finally:
        other.close()


@pytest.mark.parametrize("programs", [
    ("queue",), ("router",), ("queue", "router")], ids="-".join)
def test_killed_around_the_report(lab, client, scripted, config, domain,
                                  programs):
    """Whenever it dies, each sender hears of it exactly once."""
    scripted(script(RCPT="550 5.1.1 nobody"))
    other = Postern(lab.hosts["second"], config.replace(
        "mail.here.test", "second.here.test"),
        name=f"killed-{'-'.join(programs)}")
    try:
        sent = [submit(client, f"x{n}@{domain}", "bob@here.test",
                       "192.0.2.60") for n in range(20)]
        for pause in (1.2, 0.5, 0.05, 0.3, 0.1, 0.02):
            time.sleep(pause)
            for program in programs:
                for pid in other.pids(program):
                    os.kill(pid, signal.SIGKILL)
            other.wait_ready()
        wait_for("an empty queue",
                 lambda: not other.ctl_json("queue"), 60)
        for ident, token in sent:
            assert reports(lab, "bob", token)
            events = [e["event"] for e in other.ctl_json("trace", ident)]
            assert events.count("bounced") == 1
        # A delivery whose agent lost its queue may be done again; a report
        # may not be made again.
        queued = other.log().count(" reported id=")
        made = {m["Message-ID"] for m in reports(lab, "bob", "delivery-status")}
        assert queued <= len(sent) and len(made) == len(sent)
    finally:
        other.close()
