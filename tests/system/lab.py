"""A small internet in network namespaces, and the programs that live in it.

Every host is a namespace of its own on one bridge, in the documentation
ranges 192.0.2.0/24 and 2001:db8::/32, which no real host has. Users exist in
the lab's own /etc/passwd only: `ip netns exec` lays the files of
/etc/netns/NAME over /etc.
"""
import contextlib
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import threading
import time

STAGE = pathlib.Path(os.environ.get("POSTERN_STAGE", "build/stage")).resolve()
SBIN = STAGE / "usr/local/sbin"
PROGRAMS = ["smtpd", "router", "queue", "resolver", "remote", "spawn"]
ETC_NETNS = pathlib.Path("/etc/netns")


def wait_for(what, condition, seconds=20):
    """Returns the condition's first true value; fails after a bound."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.02)


def run(*command, check=True, **options):
    return subprocess.run([str(c) for c in command], check=check, text=True,
                          capture_output=True, errors="replace", **options)


class Host:
    """One network namespace."""

    def __init__(self, lab, name, number):
        self.lab, self.name, self.number = lab, name, number
        self.ns = f"{lab.prefix}-{name}"
        self.ip4 = f"192.0.2.{number}"
        self.ip6 = f"2001:db8::{number}"
        self.etc = ETC_NETNS / self.ns
        self.etc.mkdir(parents=True)
        self.write_etc("passwd", lab.passwd)
        self.write_etc("group", lab.group)
        self.write_etc("hosts", "127.0.0.1 localhost\n::1 localhost\n")
        self.write_etc("resolv.conf", f"nameserver {lab.dns_ip4}\n")
        self.write_etc("nsswitch.conf",
                       "passwd: files\ngroup: files\nhosts: files dns\n")
        run("ip", "netns", "add", self.ns)
        veth = f"{lab.prefix}v{number}"
        run("ip", "link", "add", veth, "netns", lab.bridge_ns, "type", "veth",
            "peer", "name", "eth0", "netns", self.ns)
        lab.in_bridge("ip", "link", "set", veth, "master", "br0", "up")
        for command in (
                "ip link set lo up", "ip link set eth0 up",
                f"ip addr add {self.ip4}/24 dev eth0",
                f"ip -6 addr add {self.ip6}/64 dev eth0 nodad"):
            self.run(*command.split())

    def write_etc(self, name, text):
        (self.etc / name).write_text(text)

    def command(self, *command):
        return ["ip", "netns", "exec", self.ns, *map(str, command)]

    def run(self, *command, **options):
        return run(*self.command(*command), **options)

    def start(self, *command, **options):
        return subprocess.Popen(self.command(*command), **options)

    @contextlib.contextmanager
    def inside(self):
        """This thread's new sockets are on that host."""
        with open("/proc/thread-self/ns/net") as home, \
                open(f"/run/netns/{self.ns}") as there:
            setns(there.fileno())
            try:
                yield self
            finally:
                setns(home.fileno())

    def listen(self, address, port):
        with self.inside():
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            server = socket.socket(family, socket.SOCK_STREAM)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((address, port))
            server.listen(1024)  # a full one looks like a host that hangs
            return server

    def connect(self, address, port=25, timeout=20):
        with self.inside():
            return socket.create_connection((address, port), timeout)

    def answers(self, address, port):
        try:
            self.connect(address, port, 1).close()
            return True
        except OSError:
            return False

    def smtp(self, address, port=25, timeout=30):
        """An smtplib client on this host."""
        host = self

        class Client(smtplib.SMTP):
            def _get_socket(self, where, to_port, limit):
                return host.connect(where, to_port, limit)

        return Client(address, port, local_hostname="client.test",
                      timeout=timeout)

    def close(self):
        run("ip", "netns", "del", self.ns, check=False)
        shutil.rmtree(self.etc, ignore_errors=True)


def setns(fd):
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, 0x40000000) == -1:  # CLONE_NEWNET
        raise OSError(ctypes.get_errno(), "setns")


class Lab:
    """Users, hosts, and a name server with real zones."""

    USERS = ["alice", "bob", "carol", "dave"]
    FIRST_UID = 64100

    def __init__(self):
        self.prefix = f"pt{os.getpid() % 100000}"
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="postern-lab-"))
        self.dir.chmod(0o755)
        self.hosts, self.dns_ip4 = {}, "192.0.2.53"
        self.homes = self.dir / "home"
        self.homes.mkdir(mode=0o755)
        self.passwd = pathlib.Path("/etc/passwd").read_text()
        self.group = pathlib.Path("/etc/group").read_text()
        if not re.search(r"^postern-admin:", self.group, re.M):
            self.group += f"postern-admin:x:{self.FIRST_UID - 1}:\n"
        self.admin_gid = int(re.search(
            r"^postern-admin:[^:]*:(\d+):", self.group, re.M).group(1))
        for i, user in enumerate(self.USERS):
            self.add_user(user, self.FIRST_UID + i)
        self.bridge_ns = f"{self.prefix}-br"
        run("ip", "netns", "add", self.bridge_ns)
        self.in_bridge("ip", "link", "add", "br0", "type", "bridge")
        self.in_bridge("ip", "link", "set", "br0", "up")

    def in_bridge(self, *command):
        return run("ip", "netns", "exec", self.bridge_ns, *command)

    def add_user(self, name, uid):
        home = self.homes / name
        home.mkdir(mode=0o700)
        os.chown(home, uid, uid)
        self.passwd += f"{name}:x:{uid}:{uid}::{home}:/bin/sh\n"
        self.group += f"{name}:x:{uid}:\n"

    def host(self, name, number):
        host = Host(self, name, number)
        self.hosts[name] = host
        return host

    def mail_of(self, user):
        """The messages in a user's Maildir, as text, by file name."""
        new = self.homes / user / "Maildir/new"
        try:
            names = sorted(os.listdir(new))
        except FileNotFoundError:
            return {}
        return {n: (new / n).read_text(errors="surrogateescape")
                for n in names}

    def empty_mailboxes(self):
        for user in self.USERS:
            shutil.rmtree(self.homes / user / "Maildir", ignore_errors=True)

    def close(self):
        for host in self.hosts.values():
            host.close()
        run("ip", "netns", "del", self.bridge_ns, check=False)
        shutil.rmtree(self.dir, ignore_errors=True)


class NameServer:
    """NSD, authoritative for the zones that a test writes."""

    def __init__(self, host, zones):
        self.host, self.dir = host, host.lab.dir / f"nsd-{host.name}"
        self.dir.mkdir()
        self.dir.chmod(0o755)
        lines = [
            "server:", f"  ip-address: {host.ip4}",
            f"  ip-address: {host.ip6}", "  username: \"\"",
            f"  zonesdir: \"{self.dir}\"", f"  pidfile: \"{self.dir}/pid\"",
            f"  database: \"\"", f"  xfrdfile: \"{self.dir}/xfrd\"",
            f"  zonelistfile: \"{self.dir}/zonelist\"",
            "  server-count: 1", "remote-control:", "  control-enable: no"]
        for zone, text in zones.items():
            (self.dir / f"{zone}zone").write_text(
                f"$ORIGIN {zone}\n$TTL 60\n"
                f"@ SOA ns.{zone} root.{zone} 1 60 60 600 5\n"
                f"@ NS ns.{zone}\nns A {host.ip4}\n{text}\n")
            lines += ["zone:", f"  name: {zone}",
                      f"  zonefile: {self.dir}/{zone}zone"]
        conf = self.dir / "nsd.conf"
        conf.write_text("\n".join(lines) + "\n")
        self.process = host.start("/usr/sbin/nsd", "-d", "-c", conf,
                                  stdout=subprocess.DEVNULL,
                                  stderr=(self.dir / "log").open("w"))
        wait_for("NSD", lambda: host.answers(host.ip4, 53))

    def close(self):
        self.process.terminate()
        self.process.wait()


class Postfix:
    """A foreign MTA: takes mail for `domain` into Maildirs, and sends."""

    def __init__(self, host, domain, extra=""):
        self.host, self.domain = host, domain
        self.dir = host.lab.dir / f"postfix-{host.name}"
        self.conf = self.dir / "etc"
        self.conf.mkdir(parents=True)
        self.queue = self.dir / "spool"
        self.queue.mkdir()
        self.data = self.dir / "data"
        self.data.mkdir()
        shutil.chown(self.data, "postfix")
        self.mail = self.dir / "mail"
        self.mail.mkdir()
        shutil.chown(self.mail, "nobody")
        master = pathlib.Path("/usr/share/postfix/master.cf.dist").read_text()
        master = re.sub(r"^([a-z-]+ +(?:unix|inet) +[-yn] +[-yn] +)y ",
                        r"\1n ", master, flags=re.M)
        master = re.sub(r"^(smtp +inet +n +- +)y ", r"\1n ", master,
                        flags=re.M)
        master = re.sub(r"^postlog +.*$",
                        "postlog unix-dgram n - n - 1 postlogd", master,
                        flags=re.M)
        (self.conf / "master.cf").write_text(master)
        nobody = pwd.getpwnam("nobody")
        (self.conf / "main.cf").write_text(f"""
compatibility_level = 3.6
queue_directory = {self.queue}
data_directory = {self.data}
myhostname = mx.{domain}
mydomain = {domain}
mydestination =
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {self.mail}
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:{nobody.pw_uid}
virtual_gid_maps = static:{nobody.pw_gid}
virtual_minimum_uid = 1
alias_maps =
alias_database =
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_peername_lookup = no
maillog_file = {self.dir}/log
maillog_file_prefixes = {self.dir}
{extra}
""")
        shutil.copy("/etc/postfix/dynamicmaps.cf", self.conf) \
            if os.path.exists("/etc/postfix/dynamicmaps.cf") else None
        host.run("postfix", "-c", self.conf, "start")
        wait_for("Postfix", lambda: host.answers(host.ip4, 25))

    def delivered(self):
        new = self.mail / "all/new"
        try:
            return {n: (new / n).read_text(errors="surrogateescape")
                    for n in os.listdir(new)}
        except FileNotFoundError:
            return {}

    def send(self, sender, recipient, text):
        self.host.run("sendmail", "-C", self.conf, "-i", "-f", sender, recipient,
                      input=text)

    def close(self):
        self.host.run("postfix", "-c", self.conf, "stop", check=False)


class Postern:
    """A running postern on a host, from the installed tree."""

    binary = SBIN / "postern"

    def __init__(self, host, config, name="postern"):
        self.host = host
        self.dir = host.lab.dir / name
        self.dir.mkdir(exist_ok=True)
        self.dir.chmod(0o755)
        self.run_dir, self.spool = self.dir / "run", self.dir / "spool"
        self.config_file = self.dir / "postern.conf"
        self.log_file = self.dir / "log"
        self.write_config(config)
        self.process = None
        try:
            self.start()
        except BaseException:
            if self.process:
                self.kill_all()
            raise

    def write_config(self, config):
        self.config_file.write_text(
            f'spool "{self.spool}"\nrun "{self.run_dir}"\n{config}\n')

    def start(self):
        self.start_unready()
        self.wait_ready()

    def start_unready(self):
        env = dict(os.environ)
        self.log_begins = self.log_file.stat().st_size \
            if self.log_file.exists() else 0
        self.process = self.host.start(
            self.binary, "-f", "-v", "-c", self.config_file,
            stdout=subprocess.DEVNULL, stderr=self.log_file.open("a"),
            env=env, start_new_session=True)

    def wait_ready(self):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError("postern ended:\n" + self.log()[-4000:])
            # The last of several smtpd may come after one of each kind.
            return " ready generation=" in self.log()[self.log_begins:] and \
                self.ctl("stats", check=False).returncode == 0 and \
                len(self.pids()) >= len(PROGRAMS)
        wait_for("postern to be ready", ready)

    def log(self):
        return self.log_file.read_text(errors="replace")

    def ctl(self, *arguments, check=True):
        return run(SBIN / "posternctl", "-c", self.config_file, *arguments,
                   check=check, timeout=60)

    def ctl_json(self, *arguments):
        out = self.ctl(*arguments, "--json").stdout
        return [json.loads(line) for line in out.splitlines()]

    def children(self):
        """Pid and binary name of each program of this instance."""
        found = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                status = pathlib.Path(f"/proc/{entry}/status").read_text()
                parent = int(re.search(r"^PPid:\s+(\d+)", status,
                                       re.M).group(1))
                exe = os.path.basename(os.readlink(f"/proc/{entry}/exe"))
            except (OSError, AttributeError):
                continue
            if parent == self.process.pid:
                found[int(entry)] = exe
        return found

    def pids(self, program=None):
        by_name = {}
        for pid, name in self.children().items():
            by_name.setdefault(name, []).append(pid)
        return by_name if program is None else by_name.get(program, [])

    def smtp(self, **options):
        return self.host.smtp(self.host.ip4, **options)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)

    def kill_all(self):
        """The machine's plug: nobody gets to say goodbye."""
        pids = [self.process.pid, *self.children()]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def close(self):
        self.stop()
        shutil.rmtree(self.spool, ignore_errors=True)


class ScriptedServer:
    """A remote SMTP server that says what a test tells it to.

    `talk(conversation)` is run in a thread for each connection; see
    Conversation. What was received is kept in `transcripts`.
    """

    def __init__(self, host, talk, address=None, port=25):
        self.talk, self.transcripts, self.conversations = talk, [], []
        self.socket = host.listen(address or host.ip4, port)
        self.open = True
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while self.open:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            conversation = Conversation(connection)
            self.transcripts.append(conversation.received)
            self.conversations.append(conversation)
            threading.Thread(target=self.run_one, args=(conversation,),
                             daemon=True).start()

    def run_one(self, conversation):
        try:
            self.talk(conversation)
        except (OSError, EOFError):
            pass
        finally:
            conversation.close()

    def close(self):
        self.open = False
        for connection in (self.socket,
                           *(c.socket for c in self.conversations)):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Conversation:
    def __init__(self, connection):
        self.socket = connection
        self.socket.settimeout(30)
        self.file = connection.makefile("rb")
        self.received = []

    def say(self, text):
        self.socket.sendall(text.replace("\n", "\r\n").encode() + b"\r\n")

    def hear(self):
        line = self.file.readline()
        if not line:
            raise EOFError
        self.received.append(line.decode(errors="surrogateescape"))
        return self.received[-1]

    def hear_content(self):
        lines = []
        while (line := self.hear()) != ".\r\n":
            lines.append(line)
        return lines

    def close(self):
        self.file.close()
        self.socket.close()

    def drop(self):
        """A reset, at once."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               b"\1\0\0\0\0\0\0\0")
        self.close()
        raise EOFError
