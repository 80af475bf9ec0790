"""The rules of the big providers: headers, one-click leaving, signatures, size, and what looks like spam."""

from __future__ import annotations

import re
import shutil
import subprocess
from base64 import b64encode
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from postbox import Taken
from readers import event, pick
from service import NOW, settings_in
from test_digest_letter import facts

from app.account.signing import Asked, mail_for
from app.mail.digest_sending import Outgoing, built_for, links_of
from app.mail.dkim import BadKey, load_signer
from app.mail.letter_facts import Facts
from app.mail.mail_templates import inlined
from app.mail.message import Message, build
from app.mail.since_last_mail import Changed, Said
from app.models import Subscription
from app.settings import Settings
from app.words.wording import wording_of

CLOCK = datetime.now(UTC)  # dkimpy takes no signature of the future
FROM = "Adjacent <weekly@adjacent.test>"


def whole() -> Facts:
    """Return the facts of a mail in which everything there can be is told."""
    evenings = [event(n, title=f"An evening about subject {n}", price="12 EUR", language="de") for n in range(1, 8)]
    picks = [(evening, pick(f"Subject {n}")) for n, evening in enumerate(evenings)]
    changed = tuple(
        Changed(event(20 + n, status=status), {field: "before"})
        for n, (status, field) in enumerate(
            [("cancelled", "status"), ("confirmed", "starts_at"), ("confirmed", "city"), ("postponed", "status")]
        )
    )
    said = Said(tuple(evenings[:2]), ("Knitting",), "one-step", "two-steps")
    return facts(*picks, zone="America/New_York", changed=changed, said=said, skipped=(NOW.date(),), is_first=False)


def outgoing(tmp_path: Path, told: Facts | None = None, **changes: str) -> tuple[Outgoing, Settings]:
    settings = settings_in(
        tmp_path, **{"ADJACENT_MAIL_FROM": FROM, "ADJACENT_BASE_URL": "https://adjacent.test", **changes}
    )
    wish = Subscription(person_id=1)
    return built_for(told or whole(), wish, "2026-W49", settings, links_of(settings), clock=CLOCK), settings


def taken(tmp_path: Path, told: Facts | None = None, **changes: str) -> Taken:
    built = outgoing(tmp_path, told, **changes)[0].built
    return Taken(built.return_path, built.to, built.content)


def test_headers_are_those_of_a_list_one_can_leave(tmp_path: Path) -> None:
    mail = taken(tmp_path).mail
    told = {name: str(value) for name, value in mail.items()}
    assert list(told) == [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "List-ID",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "Precedence",
        "Content-Language",
        "MIME-Version",
        "Content-Type",
    ]
    assert (told["From"], told["Auto-Submitted"]) == (FROM, "auto-generated")
    assert told["List-ID"] == "Adjacent weekly <weekly.adjacent.test>"
    assert told["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    leave = re.fullmatch(r"<(https://adjacent\.test/unsubscribe/adj_u_[\w-]+)>", told["List-Unsubscribe"])
    assert leave is not None
    for subtype in ("plain", "html"):  # a link people see, too
        assert leave[1] in taken(tmp_path).part(subtype)
    assert re.fullmatch(r"<digest\.2026-W49\.[a-z0-9]{20}@adjacent\.test>", told["Message-ID"])


def test_message_id_stays_for_person_and_week(tmp_path: Path) -> None:
    (first, settings), (again, _) = outgoing(tmp_path), outgoing(tmp_path, facts((event(9), pick())))
    assert first.message_id == again.message_id
    wish = Subscription(person_id=1)
    later = built_for(whole(), wish, "2026-W50", settings, links_of(settings), clock=CLOCK)
    assert later.message_id != first.message_id


def test_bounces_come_back_to_an_address_that_says_whose_they_are(tmp_path: Path) -> None:
    marked, _ = outgoing(tmp_path, ADJACENT_BOUNCES_TO="bounces@adjacent.test")
    mark = marked.message_id.removeprefix("<digest.2026-W49.").partition("@")[0]
    assert marked.built.return_path == f"bounces+{mark}@adjacent.test"
    assert taken(tmp_path).return_path == "weekly@adjacent.test"


def test_sign_in_mails_come_from_another_address(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, ADJACENT_MAIL_FROM=FROM)
    message = mail_for(Asked("ada@example.org", "adj_l_x", "012345"), settings, wording_of("en"))
    assert message.sender == "Adjacent sign-in <sign-in@adjacent.test>"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_file(key: rsa.RSAPrivateKey, folder: Path) -> Path:
    pem = folder / "dkim.pem"
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return pem


def is_signed(content: bytes, key: rsa.RSAPrivateKey) -> bool:
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + b64encode(public)

    def dns(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"adjacent._domainkey.adjacent.test."
        return record

    return bool(dkim.verify(content, dnsfunc=dns))


def test_the_signature_holds_and_covers_how_to_leave(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    content = taken(tmp_path, ADJACENT_DKIM_KEY=str(key_file(key, tmp_path))).content
    assert is_signed(content, key)
    assert all(len(line) <= 78 for line in content.split(b"\r\n\r\n")[0].split(b"\r\n") if b"unsubscribe/" not in line)
    changed = {
        "leaving": content.replace(b"/unsubscribe/adj_u_", b"/unsubscribe/adj_x_"),
        "one click": content.replace(b"List-Unsubscribe=One-Click", b"List-Unsubscribe=No"),
        "another subject": content.replace(b"MIME-Version:", b"Subject: Buy\r\nMIME-Version:"),
        "somebody to answer to": content.replace(b"MIME-Version:", b"Reply-To: x@example.org\r\nMIME-Version:"),
        "the words": content.replace(b"JavaScript", b"COBOL"),
    }
    assert {name: is_signed(forged, key) for name, forged in changed.items()} == dict.fromkeys(changed, False)
    # What servers may do on the way: fold and unfold, and add lines at the end.
    assert is_signed(content.replace(b"To: ada", b"To:\r\n ada") + b"\r\n\r\n", key)


@pytest.mark.parametrize("text", ["", "\n\n", "plain\n", "trailing  \n\n\n", "ünïcode\n", ".\n..\nFrom here\n"])
def test_any_body_is_signed_well(text: str, tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    signer = load_signer(key_file(key, tmp_path), selector="adjacent", domain="adjacent.test")
    message = Message("a@example.org", "Sübject " * 20, text, text, FROM)
    assert is_signed(build(message, now=CLOCK, signer=signer).content, key)


def test_a_key_that_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("nothing")
    with pytest.raises(BadKey, match="no unencrypted private key"):
        load_signer(tmp_path / "bad.pem", selector="adjacent", domain="adjacent.test")


def test_the_mail_loads_nothing_reports_nothing_and_is_small(tmp_path: Path) -> None:
    mail = taken(tmp_path)
    html = mail.part("html")
    assert len(html.encode()) < 60_000
    assert len(mail.content) < 80_000
    for loading in ("<img", "<link", "<script", "<iframe", "url(", "@import", "src=", "background="):
        assert loading not in html
    assert f"<title>{mail.mail['Subject']}</title>" in unescape(html)


def test_the_text_is_written_as_text(tmp_path: Path) -> None:
    text = taken(tmp_path).part("plain")
    assert not re.search(r"[<>{}]|&\w+;|\n\n\n\n|[ \t]\n(?<!-- \n)", text.replace("\r\n", "\n"))
    assert all(len(line) <= 78 or "https://" in line for line in text.splitlines())


@pytest.mark.skipif(shutil.which("spamassassin") is None, reason="SpamAssassin is not installed")
def test_the_mail_looks_like_no_spam(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    content = taken(tmp_path).content
    done = subprocess.run(["spamassassin", "-L", "-t"], input=content, capture_output=True, timeout=60, check=False)
    score = re.search(rb"score=(-?[\d.]+)", done.stdout)
    assert score is not None, done.stderr
    assert float(score[1]) <= 0, done.stdout.decode(errors="replace")


def test_styles_go_into_elements_and_what_is_jinjas_stays() -> None:
    row = '<tr>\n<td{} class="a" title="{{{{ one if 1 < 2 }}}}"{}>{{{{ one }}}}</td></tr>'
    source = "<table><tbody>{% for one in many %}" + row.format("", "") + "{% endfor %}</tbody></table>"
    styled = row.format("", ' style="color: red;"')
    assert inlined(source, ".a { color: red }") == source.replace(row.format("", ""), styled)


@pytest.mark.parametrize("letters", ["evenings ", "встреча ", "活动聚会北京读书会城市", "مساء ", "🎨🎷"])
def test_mails_stay_light_whatever_organisers_wrote(letters: str, tmp_path: Path) -> None:
    told = whole()
    for shown in told.picks:
        one = shown.listed.event
        one.title = one.venue_name = one.address = one.city = one.organizer_name = one.price = letters * 40
    mail = taken(tmp_path, told)
    assert len(mail.content) < 60_000
    assert mail.mail.defects == []
    assert letters.strip()[:5] in mail.part("plain")
    assert max(len(line) for line in mail.content.split(b"\r\n")) <= 998
