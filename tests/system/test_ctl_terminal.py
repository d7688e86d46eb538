"""What posternctl looks like on a terminal of 80 columns."""
import pytest

from lab import SBIN, ScriptedServer
from terminal import Terminal
from test_send import item, script, settled, submit

REPLY = "450 4.2.0 Das Postfach ist überfüllt, 受信箱がいっぱいです"
LONG = "a-rather-long-name.of-somebody-else.who-has-many-names"


@pytest.fixture
def waiting(lab, postern, client):
    server = ScriptedServer(lab.hosts["other"], script(RCPT=REPLY))
    idents = [submit(client, f"{name}@other.test")[0] for name in ("x", LONG)]
    for ident in idents:
        settled(postern, ident)
    yield idents
    for ident in idents:
        postern.ctl("remove", ident, check=False)
    server.close()


@pytest.fixture
def terminal(postern, tmp_path):
    opened = []

    def start(*words, **options):
        opened.append(Terminal(tmp_path, SBIN / "posternctl", "-c",
                               postern.config_file, *words, **options))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_queue(postern, terminal, waiting):
    """Long addresses in full, replies in their own letters, cut to the
    width; the next try."""
    assert item(postern, waiting[0])["reply"] == REPLY
    screen = terminal("queue").shows("2 recipients of 2 messages")
    lines = screen.splitlines()
    assert lines[0].startswith("ID             AGE  SIZE STATE      TRY NEXT")
    first = next(i for i, l in enumerate(lines) if l.startswith(waiting[0]))
    assert lines[first].split()[3] == "waiting"
    assert lines[first].split()[5][:-1].isdigit()
    assert "alice@here.test" in lines[first]
    assert "-> x@other.test (mx:other.test)" in screen
    # 450 4.2.0 Das Postfach ist überfüllt, and as much as fits.
    assert "überfüllt" in screen and "\\x" not in screen
    assert f"    -> {LONG}@other.test" in screen.replace("\n", "")
    assert all(len(line) <= 80 for line in lines)


def test_narrow_terminal(terminal, waiting):
    """Nothing is wider than it is but an address."""
    screen = terminal("queue", columns=50).shows("2 recipients of 2")
    assert "überfüllt" in screen or "..." in screen


def test_destinations_and_summary(terminal, waiting):
    screen = terminal("destinations", "--destination",
                      "mx:other.test").shows("1 destination, 2 recipients.")
    assert "WAITING  HELD FAILED FLIGHT WINDOW BACKOFF NEXT" in screen


def test_summary(terminal, waiting):
    screen = terminal("summary").shows("2 recipients in 1 group.")
    assert "2 " in screen and "waiting mx:other.test" in screen
    assert "450 4.2.0 Das Postfach ist überfüllt, 受信箱" in screen
