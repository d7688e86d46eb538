"""The completion that is installed, as bash runs it."""
import os
import pathlib

import pytest

from lab import SBIN, STAGE, run
from test_ctl import waiting  # noqa: F401 (a fixture)

FILE = STAGE / "usr/local/share/bash-completion/completions/posternctl"
SCRIPT = """
set -u
source "$1"
complete -p posternctl >/dev/null || exit 1
COMP_LINE=$2 COMP_POINT=${#2}
_posternctl
[[ ${#COMPREPLY[@]} -eq 0 ]] || printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(line, breaks=" \t\n\"'><=;|&(:"):
    done = run("bash", "--norc", "--noprofile", "-c",
               f"COMP_WORDBREAKS=$3{SCRIPT}", "bash", FILE,
               line.replace("posternctl", str(SBIN / "posternctl"), 1), breaks)
    assert done.stderr == ""
    return done.stdout.split()


def test_every_command_and_option():
    """All that the program has, whatever is added to it."""
    helped = run(SBIN / "posternctl", "help").stdout.splitlines()
    commands = [line.split()[0] for line in helped if line.startswith("  ")]
    assert {"queue", "summary", "pause", "help"} <= set(commands)
    assert complete("posternctl ") == commands
    assert complete("posternctl help ") == commands
    assert complete("posternctl su") == ["summary"]
    for command in commands:
        text = run(SBIN / "posternctl", "help", command).stdout
        options = [w for line in text.splitlines() if line.startswith("  --")
                   for w in line.split()[:1]]
        assert complete(f"posternctl {command} --") == options
    assert complete("posternctl queue --sta") == ["--state"]
    assert complete("posternctl stats --sta") == []


def test_values():
    assert complete("posternctl queue --state ") == \
        ["waiting", "held", "failed", "delivered"]
    assert complete("posternctl queue --state h") == ["held"]
    assert complete("posternctl queue --state=h") == ["held"]
    assert complete("posternctl queue --state=h", " \t\n") == ["--state=held"]
    assert complete("posternctl queue --sender x") == []
    assert complete("posternctl stats ") == []


def test_files(tmp_path):
    (tmp_path / "other.conf").touch()
    assert complete(f"posternctl -c {tmp_path}/o") == \
        [f"{tmp_path}/other.conf"]


@pytest.mark.parametrize("command", ["show", "why", "hold", "trace"])
def test_ids(postern, waiting, command):
    ident, _ = waiting
    ctl = f"posternctl -c {postern.config_file} {command}"
    assert complete(f"{ctl} ") == [ident]
    assert complete(f"{ctl} {ident[:5]}") == [ident]
    assert complete(f"{ctl} x") == []


@pytest.mark.parametrize("before", ["pause", "queue --destination"])
def test_destinations(postern, waiting, before):
    """Readline parts words at colons: what stands before one is not said
    again."""
    ctl = f"posternctl -c {postern.config_file} {before}"
    assert complete(f"{ctl} ") == ["mx:other.test"]
    assert complete(f"{ctl} mx:o") == ["other.test"]
    assert complete(f"{ctl} mx:o", " \t\n") == ["mx:other.test"]
    assert complete(f"{ctl} local:") == []


def test_names_are_not_run(tmp_path):
    """Whatever names a destination, it is a text: it is run neither by TAB
    nor by the line that it is completed to."""
    names = ["mx:$(touch ran)", "mx:`touch ran`", "mx:a;touch ran",
             "local:$HOME", "relay:two words", "mx:[192.0.2.1]"]
    ctl = tmp_path / "ctl"
    ctl.write_text("#!/bin/sh\n" + "".join(
        f"echo '{{\"destination\":\"{name}\"}}'\n" for name in names))
    ctl.chmod(0o755)

    def completed(typed, breaks):
        line = f"{ctl} queue --destination{typed}"
        done = run("bash", "--norc", "--noprofile", "-c",
                   f"COMP_WORDBREAKS=$3{SCRIPT}", "bash", FILE, line, breaks,
                   cwd=tmp_path)
        assert done.stderr == ""
        return done.stdout.splitlines()

    for typed, breaks, skip in ((" ", " \t\n=:", 0), (" mx:", " \t\n=:", 3),
                                (" mx:", " \t\n", 0), ("=mx:", " \t\n", 0)):
        words = completed(typed, breaks)
        back = [run("bash", "-c", f"printf %s {word}",
                    cwd=tmp_path).stdout for word in words]
        wanted = [name[skip:] for name in names
                  if name.startswith(typed[1:])]
        if typed[0] == "=":
            wanted = [f"--destination={name}" for name in wanted]
        assert back == wanted
    assert completed(" mx:\\$", " \t\n") == ["mx:\\$\\(touch\\ ran\\)"]
    assert sorted(os.listdir(tmp_path)) == ["ctl"]


def test_no_queue(tmp_path):
    """Nothing to complete with, and nothing on the terminal."""
    (tmp_path / "postern.conf").write_text("nonsense")
    assert complete(f"posternctl -c {tmp_path}/postern.conf show ") == []
    assert pathlib.Path(FILE).stat().st_mode & 0o777 == 0o644
