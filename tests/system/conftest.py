"""The lab that all system tests share, and a fresh postern where one asks."""
import pytest

from lab import Lab, NameServer, Postern, Postfix

# Hosts: postern is `here`, a foreign MTA is `there`, tests script `other`.
ZONES = {
    "here.test.": "@ MX 10 mail\nmail A 192.0.2.10\nmail AAAA 2001:db8::10",
    "there.test.": "@ MX 10 mx\nmx A 192.0.2.20",
    "both.test.": "@ MX 10 dead\n@ MX 20 mx\n"
                  "dead A 192.0.2.99\nmx A 192.0.2.20",
    "six.test.": "@ MX 10 mx\nmx AAAA 2001:db8::99\nmx A 192.0.2.20",
    "implicit.test.": "@ A 192.0.2.20",
    "nullmx.test.": "@ MX 0 .\n@ A 192.0.2.20",
    "other.test.": "@ MX 10 mx\n* MX 10 mx\nmx A 192.0.2.30",
    "loop.test.": "@ MX 10 mail.here.test.",
    "lower.test.": "@ MX 10 mail.here.test.\n@ MX 20 mx.there.test.",
    "empty.test.": "@ TXT nothing",
}
ZONES["there.test."] += "\n@ TXT x"
# A domain for each stage at which its host hangs (test_hang.py).
ZONES["hangs.test."] = "\n".join(
    f"{stage} MX 10 mx-{stage}\nmx-{stage} A 192.0.2.{number}"
    for stage, number in (("greeting", 31), ("ehlo", 32), ("data", 33),
                          ("dot", 34)))

CONFIG = """
hostname "mail.here.test"
admin "alice@here.test"
listen on * port 25
resolver forward "192.0.2.53"
table "aliases" file "{dir}/aliases"
mailbox "people" users system aliases "aliases" deliver maildir "~/Maildir"
accept to domain "here.test" mailbox "people"
accept from address 192.0.2.40 relay
accept from local relay
"""

ALIASES = """# who is who
postmaster: alice
sales: bob, carol
team: sales, dave
ring: gnir
gnir: ring
abroad: someone@there.test
"""


@pytest.fixture(scope="session")
def lab():
    lab = Lab()
    try:
        (lab.dir / "aliases").write_text(ALIASES)
        for name, number in (("here", 10), ("there", 20), ("other", 30),
                             ("client", 40), ("stranger", 50), ("dns", 53),
                             ("second", 60)):
            lab.host(name, number)
        dns = NameServer(lab.hosts["dns"], ZONES)
        try:
            yield lab
        finally:
            dns.close()
    finally:
        lab.close()


@pytest.fixture(scope="session")
def there(lab):
    """A foreign MTA: Postfix for there.test and its kin on 192.0.2.20."""
    postfix = Postfix(lab.hosts["there"], "there.test", extra="""
virtual_mailbox_domains = there.test, both.test, six.test, implicit.test,
    lower.test
relayhost = [192.0.2.10]
""")
    yield postfix
    postfix.close()


@pytest.fixture(scope="session")
def config(lab):
    return CONFIG.format(dir=lab.dir)


@pytest.fixture(scope="module")
def postern(lab, config):
    """One instance for the tests of a file that do not harm it."""
    instance = Postern(lab.hosts["here"], config)
    yield instance
    instance.close()


@pytest.fixture
def client(lab):
    """The host that postern relays for."""
    return lab.hosts["client"]


@pytest.fixture
def stranger(lab):
    return lab.hosts["stranger"]


@pytest.fixture
def house(tmp_path):
    """A store without a postern around it."""
    from store_house import House  # which needs the programs themselves
    house = House(tmp_path / "house")
    yield house
    house.stop()
