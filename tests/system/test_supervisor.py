"""Starting, healing, reloading and ending."""
import contextlib
import ctypes
import os
import signal
import smtplib
import socket
import time

import pytest

from lab import PROGRAMS, SBIN, Postern, run, wait_for
from test_receive import arrived, send, wait_for_mail
from test_send import ScriptedServer, script


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_killed_program_heals(lab, postern, stranger, program):
    """kill -9: a new one within a second or so, and mail flows again."""
    before = set(postern.pids(program))
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_for(f"a new {program}", lambda: len(
        set(postern.pids(program)) - before) == len(before), 5)

    def try_again():
        try:
            return send(stranger, "e@else.test", ["alice@here.test"])
        except OSError:
            return None
    token, _ = wait_for("mail to be taken again", try_again, 5)
    wait_for_mail(lab, "alice", token)


def cut_links(pid):
    """Ends what this process speaks through with its neighbours, as it does
    when one of the two breaks the protocol. Both live on."""
    libc, cut = ctypes.CDLL(None, use_errno=True), 0
    process = os.pidfd_open(pid)
    for fd in map(int, os.listdir(f"/proc/{pid}/fd")):
        mine = libc.syscall(438, process, fd, 0)  # pidfd_getfd
        if mine == -1:
            continue
        try:
            link = socket.socket(fileno=mine)
        except OSError:
            os.close(mine)
            continue
        with link:
            # Descriptor 3 is the supervisor's.
            if fd == 3 or link.family != socket.AF_UNIX or \
                    link.type != socket.SOCK_SEQPACKET or \
                    link.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                continue
            link.shutdown(socket.SHUT_RDWR)
            cut += 1
    os.close(process)
    return cut


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_cut_link_is_made_again(lab, postern, client, program):
    """Nobody died, so nobody is started again: mail must flow none the less,
    in both directions."""
    before = postern.pids()
    assert sum(cut_links(pid) for pid in before[program]) >= 1

    def try_again():
        with contextlib.suppress(OSError, smtplib.SMTPException):
            token, refused = send(client, "c@here.test", [
                "alice@here.test", "someone@other.test"])
            return None if refused else token

    server = ScriptedServer(lab.hosts["other"], script())
    try:
        token = wait_for("mail to be taken again", try_again, 5)
        wait_for_mail(lab, "alice", token)
        wait_for("mail to leave again", lambda: any(
            token in line for t in server.transcripts for line in t), 10)
    finally:
        server.close()
    assert postern.pids() == before


def test_a_crashing_program_is_slowed_down(lab, config):
    postern = Postern(lab.hosts["second"], config, name="crashing")
    try:
        seen = set()
        end = time.monotonic() + 3
        while time.monotonic() < end:
            for pid in postern.pids("resolver"):
                if pid not in seen:
                    seen.add(pid)
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.005)
        assert 2 <= len(seen) < 15
    finally:
        postern.close()


def test_a_second_supervisor_is_refused(postern):
    second = postern.host.run(SBIN / "postern", "-f", "-c",
                              postern.config_file, check=False, timeout=10)
    assert second.returncode != 0
    assert "already" in second.stderr


def test_a_start_that_fails_leaves_no_trace(lab, postern):
    """Its port is taken: the next must not find a pid, or a socket."""
    conf, run_dir = lab.dir / "taken.conf", lab.dir / "taken-run"
    conf.write_text(postern.config_file.read_text()
                    .replace(str(postern.run_dir), str(run_dir))
                    .replace(str(postern.spool), str(lab.dir / "taken")))
    failed = postern.host.run(SBIN / "postern", "-f", "-c", conf, check=False,
                              timeout=10)
    assert failed.returncode == 69
    assert "Address already in use" in failed.stderr
    assert (run_dir / "postern.pid").read_text() == ""
    assert sorted(os.listdir(run_dir)) == ["empty", "postern.pid"]


def test_configuration_check(tmp_path):
    good, bad = tmp_path / "good.conf", tmp_path / "bad.conf"
    good.write_text('hostname "a.test"\nlisten on * port 25\n'
                    'mailbox "m" users system deliver maildir "~/Maildir"\n'
                    'accept to domain "a.test" mailbox "m"\n')
    bad.write_text(good.read_text().replace("mailbox \"m\" users",
                                            "malibox \"m\" users"))
    assert run(SBIN / "postern", "-n", "-c", good).returncode == 0
    shown = run(SBIN / "postern", "-n", "-v", "-c", good).stdout
    again = tmp_path / "again.conf"
    again.write_text(shown)
    assert run(SBIN / "postern", "-n", "-v", "-c", again).stdout == shown
    refused = run(SBIN / "postern", "-n", "-c", bad, check=False)
    assert refused.returncode == 78
    assert f"{bad}:3:1:" in refused.stderr
    assert "mailbox" in refused.stderr and "^" in refused.stderr


def test_configuration_check_of_table_files(lab):
    """As the router, which is not root, will find them."""
    conf, table = lab.dir / "tables.conf", lab.dir / "domains"
    conf.write_text('hostname "a.test"\nlisten on * port 25\n'
                    f'table "domains" file "{table}"\n'
                    'accept to domain table "domains" relay\n')
    refused = run(SBIN / "postern", "-n", "-c", conf, check=False)
    assert refused.returncode == 78
    assert f'table "domains": {table}: No such file' in refused.stderr
    table.write_text("b.test\n")
    accepted = run(SBIN / "postern", "-n", "-c", conf)
    assert accepted.returncode == 0 and accepted.stderr == ""
    table.chmod(0o600)
    refused = run(SBIN / "postern", "-n", "-c", conf, check=False)
    assert refused.returncode == 78
    assert "postern-router must be able to read it" in refused.stderr


def test_reload(lab, postern, stranger, config):
    """A wrong file changes nothing; a right one holds at once; the old
    session goes on; the queue's process stays."""
    old_smtpd, queue = set(postern.pids("smtpd")), postern.pids("queue")
    session = stranger.smtp("192.0.2.10")
    session.ehlo()
    session.mail("e@else.test")
    postern.write_config(config.replace("mailbox", "malibox"))
    refused = postern.ctl("reload", check=False)
    assert refused.returncode != 0 and "malibox" in \
        refused.stdout + refused.stderr
    assert set(postern.pids("smtpd")) == old_smtpd
    postern.write_config(config.replace(
        'to domain "here.test"', 'to domain "new.test"'))
    assert postern.ctl("reload").returncode == 0
    wait_for("the new smtpd", lambda: old_smtpd.isdisjoint(
        set(postern.pids("smtpd")) - old_smtpd) and
        len(set(postern.pids("smtpd")) - old_smtpd) == len(old_smtpd))
    assert session.rcpt("alice@here.test")[0] == 250
    assert session.data("Subject: x\n\nold session\n")[0] == 250
    assert session.noop()[0] == 421
    session.close()
    token, _ = wait_for("the new rules", lambda: try_send(
        stranger, "alice@new.test"))
    wait_for_mail(lab, "alice", token)
    assert postern.pids("queue") == queue
    wait_for("the old smtpd to end",
             lambda: not old_smtpd & set(postern.pids("smtpd")))
    postern.write_config(config)
    os.kill(postern.process.pid, signal.SIGHUP)
    token, _ = wait_for("the old rules", lambda: try_send(
        stranger, "alice@here.test"))
    wait_for_mail(lab, "alice", token)
    wait_for("one generation", lambda: len(
        postern.pids("router")) == len(postern.pids("remote")) == len(
            postern.pids("spawn")) == 1)


def try_send(host, recipient):
    try:
        return send(host, "e@else.test", [recipient])
    except OSError:
        return None


def test_mended_configuration_mends_waiting_mail(lab, client, config):
    """The queue keeps the relay's name, not what it meant."""
    config = config.replace(
        "accept from address 192.0.2.40 relay",
        'relay "smart" via "192.0.2.30" port 2626\n'
        'accept from address 192.0.2.40 relay "smart"')
    postern = Postern(lab.hosts["second"], config, name="mended")
    server = ScriptedServer(lab.hosts["other"], script(), port=2525)
    try:
        with client.smtp("192.0.2.60") as smtp:
            smtp.sendmail("a@here.test", ["b@there.test"], "Subject: x\n\n1\n")
        wait_for("a failed attempt", lambda: any(
            r["attempts"] for r in postern.ctl_json("queue")))
        postern.write_config(config.replace("2626", "2525"))
        postern.ctl("reload")
        def retried():
            postern.ctl("retry", "--all", check=False)
            return server.transcripts
        wait_for("the second attempt", retried)
        wait_for("an empty queue", lambda: not postern.ctl_json("queue"))
    finally:
        postern.close()
        server.close()


def test_sigterm_ends_cleanly(lab, config, stranger):
    postern = Postern(lab.hosts["second"], config, name="ending")
    try:
        session = stranger.smtp("192.0.2.60")
        session.sendmail("e@else.test", ["alice@here.test"],
                         "Subject: x\n\nbody before-the-end\n")
        pids = list(postern.children())
        started = time.monotonic()
        postern.process.send_signal(signal.SIGTERM)
        assert postern.process.wait(10) == 0
        assert time.monotonic() - started < 5
        assert session.noop()[0] == 421
        session.close()
        assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
        postern.start()
        wait_for("the mail", lambda: arrived(lab, "alice", "before-the-end"))
    finally:
        postern.close()


def test_children_end_with_the_supervisor(lab, config):
    postern = Postern(lab.hosts["second"], config, name="orphans")
    pids = list(postern.children())
    os.kill(postern.process.pid, signal.SIGKILL)
    postern.process.wait()
    wait_for("the children to end", lambda: not any(
        os.path.exists(f"/proc/{pid}") for pid in pids), 5)
    postern.start()
    postern.close()
