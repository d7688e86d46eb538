"""Reports, whatever strangers put into what they are about: another's parser
finds no defect, and each field where RFC 3464 has it."""
import email
import email.policy
import itertools
import os
import pathlib
import subprocess

import pytest

BUILD = pathlib.Path(os.environ.get("POSTERN_BUILD", "build"))
TOOL = BUILD / "tools/report"
UNIT_TEST = BUILD / "unit/queue/test_dsn_report"
FAILED, DELAYED, DELIVERED, RELAYED, EXPANDED = range(5)
NONE, FULL, HDRS = range(3)

LETTER = (b"Received: by test\r\nMessage-ID: <a.b@example.net>\r\n"
          b"Subject: hello\r\n\r\nA line.\r\n--=_report_1mcc5rm0000xt_0\r\n")

REPLIES = {
    "plain": "550 5.1.1 no such user",
    "none": "",
    "many lines": "550-5.1.1 one\r\n550-5.1.1 two\r\n550 5.1.1 three",
    "header": "550 x\r\nBcc: victim@example.org\r\n\r\nbody",
    "boundary": "550 \r\n--=_report_1mcc5rm0000xt_0\r\n\r\nx",
    "controls": "550 \x1b[2J\x07\x08\x7f\x01",
    "8-bit": "550 gr\u00fc\u00dfe \u65e5\u672c",
    "not UTF-8": b"550 \xff\xfe\x80",
    "long word": "550 " + "x" * 2000,
    "long": "550 5.7.1 " + "word " * 400,
    "spaces": "550     \t   x   ",
    "encoded": "550 =?utf-8?q?=0d=0aBcc:_x?=",
    "quotes": '550 "<>;()\\,:@[]',
}

ADDRESSES = ["bob@example.com", '"a b"@example.com', "x@[192.0.2.1]",
             "+tag+41@example.com", "a" * 64 + "@" + "b." * 90 + "example"]


def make(tmp_path, to="alice@example.org", sender=None, notice=0, ret=NONE,
         envid="", original=LETTER, recipients=()):
    path = tmp_path / "original"
    path.write_bytes(original or b"")
    arguments = [to, to if sender is None else sender, notice, ret, envid,
                 path if original is not None else ""]
    for r in recipients:
        arguments += r
    out = subprocess.run([TOOL, *(a if isinstance(a, bytes) else
                                  str(a).encode() for a in arguments)],
                         capture_output=True, check=True).stdout
    check_octets(out)
    report = email.message_from_bytes(out, policy=email.policy.default)
    check_form(report)
    return report


def recipient(action=FAILED, address="bob@example.com", original=None,
              orcpt="", host="mx.example.com[192.0.2.25]:25",
              reply=REPLIES["plain"]):
    return [action, address, address if original is None else original,
            orcpt, host, reply]


def check_octets(out):
    lines = out.split(b"\r\n")
    assert lines[-1] == b""
    for line in lines:
        assert len(line) <= 998
        assert not {0, 10, 13} & set(line)


def check_form(report):
    for part in report.walk():
        assert part.defects == [], part
        for name, value in part.items():
            assert getattr(value, "defects", ()) == (), (name, value)
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    assert report["From"].addresses[0].addr_spec == \
        "MAILER-DAEMON@mail.example.org"
    assert report["Auto-Submitted"] == "auto-replied"
    assert len(report.get_all("To")) == 1 and report["Bcc"] is None
    assert report["Date"].datetime and report["Message-ID"]
    parts = list(report.iter_parts())
    assert [p.get_content_type() for p in parts[:2]] == \
        ["text/plain", "message/delivery-status"]
    assert len(parts) <= 3


def fields(report):
    return list(report.iter_parts())[1].get_payload()


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
@pytest.mark.parametrize("action", [FAILED, DELAYED, DELIVERED, RELAYED,
                                    EXPANDED])
def test_replies(tmp_path, action, reply):
    report = make(tmp_path, recipients=[recipient(action, reply=reply)])
    about, to = fields(report)
    assert about["Reporting-MTA"] == "dns; mail.example.org"
    assert about["Arrival-Date"]
    assert to["Action"] == ["failed", "delayed", "delivered",
                            "relayed", "expanded"][action]
    assert to["Status"][0] == "54222"[action]
    assert to["Final-Recipient"] == "rfc822; bob@example.com"
    assert to["Bcc"] is None
    assert (to["Diagnostic-Code"] is None) == (reply == "")
    assert (to["Will-Retry-Until"] is not None) == (action == DELAYED)
    if reply == REPLIES["many lines"]:
        assert to["Diagnostic-Code"] == \
            "smtp; 550-5.1.1 one 550-5.1.1 two 550 5.1.1 three"


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses(tmp_path, address):
    report = make(tmp_path, to=address, recipients=[
        recipient(address=address, original="list@example.org")])
    assert report["To"].addresses[0].addr_spec == address
    to = fields(report)[1]
    assert "".join(to["Final-Recipient"].split()).endswith(
        "".join(address.split()))
    # The client gave no ORCPT (RFC 3461 6.3).
    assert to["Original-Recipient"] is None
    assert to["X-Postern-Sent-To"] == "rfc822; list@example.org"


def test_what_the_client_gave_is_decoded(tmp_path):
    report = make(tmp_path, envid="QQ+2B314+3D", recipients=[
        recipient(orcpt="rfc822;bob+2Btag@example.com")])
    about, to = fields(report)
    assert about["Original-Envelope-Id"] == "QQ+314="
    assert to["Original-Recipient"] == "rfc822;bob+tag@example.com"


def test_spaces_count(tmp_path):
    """Whoever looks for their own address or envelope id finds it as it was."""
    address = f'"a  b   {"c" * 60}  d"@example.com'
    report = make(tmp_path, envid="one+20+20two", recipients=[
        recipient(address=address, original=address,
                  orcpt="rfc822;+22a+20+20b+22@example.com")])
    about, to = fields(report)
    assert about["Original-Envelope-Id"] == "one  two"
    assert to["Final-Recipient"] == f"rfc822; {address}"
    assert to["Original-Recipient"] == 'rfc822;"a  b"@example.com'


def test_many_recipients(tmp_path):
    wanted = [f"r{n}@example.com" for n in range(100)]
    report = make(tmp_path, recipients=[
        recipient(n % 2, a, reply="x" * 2000) for n, a in enumerate(wanted)])
    assert [f["Final-Recipient"].split("; ")[1]
            for f in fields(report)[1:]] == wanted
    words = next(report.iter_parts()).get_content()
    assert all(a in words for a in wanted)
    assert "need not send it again" in words


ORIGINALS = {
    "letter": LETTER,
    "8-bit": b"Subject: \xc3\xbc\r\n\r\n\xff\xfe\r\n",
    "no body": b"Subject: x\r\n\r\n",
    "no header": b"\r\nx\r\n",
    "empty": b"",
    "no end": b"Subject: x\r\n\r\ncut off",
    "NUL": b"Subject: x\r\n\r\na\0b\r\n",
    "bare LF": b"Subject: x\n\nbody\n",
    "long line": b"Subject: x\r\n\r\n" + b"x" * 5000 + b"\r\n",
    "long field": b"Subject: " + b"x" * 5000 + b"\r\n\r\nbody\r\n",
    "large": LETTER + b"line\r\n" * 20000,
    "only a header, large": b"X: y\r\n" * 20000,
    "boundaries": LETTER + b"".join(
        b"--=_report_1mcc5rm0000xt_%d--\r\n" % n for n in range(50)),
    "odd Message-ID": b"Message-ID: <\xff\x00>\r\n\r\nx\r\n",
}
WHOLE = {"letter", "8-bit", "no body", "no header", "boundaries", "empty"}


@pytest.mark.parametrize("name, ret", itertools.product(
    ORIGINALS, [NONE, FULL, HDRS]))
def test_what_comes_back(tmp_path, name, ret):
    original = ORIGINALS[name]
    report = make(tmp_path, ret=ret, original=original,
                  recipients=[recipient()])
    returned = list(report.iter_parts())[2]
    if ret == HDRS or name not in WHOLE:
        assert returned.get_content_type() == "text/rfc822-headers"
        assert "body" not in returned.get_content()
        return
    assert returned.get_content_type() == "message/rfc822"
    assert returned.get_content()["Subject"] is not None or \
        name in ("no header", "empty")
    assert (report["Content-Transfer-Encoding"] == "8bit") == \
        (name == "8-bit")


@pytest.mark.parametrize("action", [DELAYED, DELIVERED, RELAYED, EXPANDED])
def test_only_failures_bring_the_body_back(tmp_path, action):
    report = make(tmp_path, ret=FULL, recipients=[recipient(action)])
    assert list(report.iter_parts())[2].get_content_type() == \
        "text/rfc822-headers"


def test_answers_to_the_message(tmp_path):
    report = make(tmp_path, recipients=[recipient()])
    assert report["In-Reply-To"] == report["References"] == "<a.b@example.net>"
    report = make(tmp_path, original=ORIGINALS["odd Message-ID"],
                  recipients=[recipient()])
    assert report["In-Reply-To"] is None


def test_a_message_that_cannot_be_read(tmp_path):
    report = make(tmp_path, original=None, recipients=[recipient()])
    assert len(list(report.iter_parts())) == 2


def test_a_notice(tmp_path):
    report = make(tmp_path, to="admin@example.org", sender="gone@example.net",
                  notice=1, recipients=[recipient()])
    words = next(report.iter_parts()).get_content()
    assert report["To"] == "<admin@example.org>" or \
        report["To"] == "admin@example.org"
    assert "gone@example.net" in words and "administrator" in words


def defects(part):
    """Of a part, its fields, and what is in it; but not of the message that
    comes back, which is as its sender made it."""
    found = list(part.defects)
    for _, value in part.items():
        found += value.defects
    if part.get_content_type() not in RETURNED and part.is_multipart():
        for inner in part.get_payload():
            found += defects(inner)
    return found


RETURNED = {"message/rfc822", "message/global"}


@pytest.fixture(scope="module", name="unit_reports")
def all_reports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    subprocess.run([UNIT_TEST], env={**os.environ, "DSN_REPORTS": str(folder)},
                   check=True, capture_output=True)
    files = sorted(folder.iterdir())
    assert len(files) > 50
    return [pathlib.Path(f).read_bytes() for f in files]


def test_the_reports_of_the_unit_test(unit_reports):
    """Hostile replies, messages and addresses, and those of RFC 6533."""
    types = set()
    for octets in unit_reports:
        report = email.message_from_bytes(octets, policy=email.policy.default)
        # Python finds what SMTPUTF8 allows defective.
        assert [d for d in defects(report) if b"To: <a\xc3\xbc@" not in octets
                or "non-ascii" not in str(d).lower()] == []
        assert report.get_content_type() == "multipart/report"
        assert report["From"].addresses[0].addr_spec == \
            "MAILER-DAEMON@mail.example.net"
        assert report["To"].addresses[0].domain == "example.net"
        assert report["Date"].datetime is not None
        words, status, *rest = report.get_payload()
        assert words.get_content_type() == "text/plain"
        host, *recipients = status.get_payload()
        if status.get_content_type() == "message/global-delivery-status":
            # To Python it is a message like any other.
            recipients = [email.message_from_string(host.get_payload())]
        assert host["Reporting-MTA"] == "dns; mail.example.net"
        # Nothing that the other side said has become a field of ours.
        assert set(host.keys()) <= {
            "Reporting-MTA", "X-Postern-Id", "Arrival-Date",
            "Original-Envelope-Id"}
        assert len(recipients) == 1
        assert recipients[0].get_all("Action") in (["failed"], ["delayed"])
        assert len(rest) <= 1
        types |= {part.get_content_type() for part in [status, *rest]}
    assert types == RETURNED | {
        "message/delivery-status", "message/global-delivery-status",
        "text/rfc822-headers", "message/global-headers"}
