"""Mail and webhooks: exactly once, signed, tried again, written down, and never into internal networks."""

import base64
import hashlib
import hmac
import json
import socket
import ssl
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.core import mail
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from dashboard.accounts.models import User
from dashboard.jobs.models import Job
from dashboard.notices import events, outbound, sending, tasks
from dashboard.notices.models import HELD_UP, PAUSES, TRIES, Delivery, Event, Preferences, Try, Webhook
from tests.dashboard.notices.receiver import Received, receiving
from tests.factories import JobFactory, UserFactory
from tests.scripted import Drip, Silence, answer, scripted
from tuning.jobs import JobState, JobStatus, Point

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_server")]


def ended_job(owner: User, name: str = "Counting") -> Job:
    job: Job = JobFactory(owner=owner, display_name=name)
    losses = [3.0, 2.0, 1.0, 0.5] + [0.1] * 15
    points = [Point(step, step * 4 // 15, loss, time.time()) for step, loss in enumerate(losses, start=1)]
    job.store(JobStatus(state=JobState.SUCCEEDED, total_steps=19, model="tunedModels/m"), points)
    return job


def webhook(person: User, url: str) -> Webhook:
    return Webhook.objects.create(person=person, url=url, secret=Webhook.new_secret())


def run_what_is_due() -> None:
    """As the worker's sweep does."""
    sending.deliver.call()


def in_the_worker(task: Callable[[], object]) -> None:
    """As huey's threads run it."""
    try:
        task()
    finally:
        connections.close_all()


def let_pass(pause: timedelta) -> None:
    """The rows, as they are after so much time."""
    for delivery in Delivery.objects.exclude(next_try=None):
        Delivery.objects.filter(pk=delivery.pk).update(next_try=delivery.next_try - pause)  # type: ignore[operator]
    for row in Try.objects.all():
        Try.objects.filter(pk=row.pk).update(time=row.time - pause)


@pytest.fixture
def with_mail(alice: User, settings: Any) -> None:
    settings.EMAIL_URL = "smtp://localhost"
    settings.SITE_URL = "https://tuneboard.example.com"
    Preferences.objects.create(person=alice, ways={event: ["mail"] for event in Event.values})


@pytest.fixture
def internal_allowed(settings: Any) -> None:
    settings.WEBHOOK_INTERNAL_HOSTS = ["127.0.0.1"]


@pytest.mark.usefixtures("with_mail")
def test_mail_tells_loss_findings_link_and_curve_once(alice: User) -> None:
    job = ended_job(alice)
    for _ in range(2):
        events.sweep()
        run_what_is_due()
    (sent,) = mail.outbox
    assert sent.to == ["alice@example.com"]
    assert sent.subject == "“Counting” is done: Loss 3.00 → 0.10 in 19 steps."
    assert "█▆▃▂▁" in sent.body
    assert "* Flat since epoch 2: the last 15 steps changed the loss by less than 1 % of all it fell." in sent.body
    assert f"https://tuneboard.example.com/jobs/new/?again={job.pk}&epoch_count=2" in sent.body
    assert f"https://tuneboard.example.com/jobs/{job.pk}/" in sent.body
    name, picture, kind = sent.attachments[0]
    assert (name, kind) == ("curve.svg", "image/svg+xml")
    assert "<path d=" in str(picture)
    assert "loss 3.00 → 0.10" in str(picture)


@pytest.mark.usefixtures("with_mail")
def test_name_of_a_job_makes_no_header_and_no_markup(alice: User) -> None:
    ended_job(alice, "a\r\nBcc: x@example.com <i>")
    events.sweep()
    run_what_is_due()
    (sent,) = mail.outbox
    assert "\n" not in sent.subject
    assert sent.recipients() == ["alice@example.com"]
    assert "a Bcc: x@example.com <i>" in sent.subject
    assert "<i>" not in str(sent.attachments[0][1])


def test_mail_is_for_those_who_asked_for_it(alice: User, settings: Any) -> None:
    settings.EMAIL_URL = "smtp://localhost"
    ended_job(alice)
    events.sweep()
    assert not Delivery.objects.exists()


@pytest.mark.usefixtures("with_mail")
def test_mail_server_that_is_down_is_tried_again(alice: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", taken.getsockname()[1]
    ended_job(alice)
    events.sweep()
    run_what_is_due()
    delivery = Delivery.objects.get()
    assert delivery.log.get().problem == "mail_refused"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    let_pass(PAUSES[0])
    run_what_is_due()
    assert len(mail.outbox) == 1


@pytest.mark.usefixtures("with_mail")
def test_who_has_left_gets_no_mail(alice: User) -> None:
    ended_job(alice)
    events.sweep()
    User.objects.update(is_active=False)
    run_what_is_due()
    assert mail.outbox == []
    assert Delivery.objects.get().next_try is None


def signature_of(got: Received, secret: str) -> str:
    """By the words of the specification, and nothing of ours."""
    signed = b".".join([got.headers["webhook-id"].encode(), got.headers["webhook-timestamp"].encode(), got.body])
    key = base64.b64decode(secret.split("_", 1)[1])
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


@pytest.mark.usefixtures("internal_allowed")
def test_webhook_is_signed_and_says_what_happened(alice: User, settings: Any) -> None:
    settings.SITE_URL = "https://tuneboard.example.com"
    with receiving() as receiver:
        hook = webhook(alice, receiver.url)
        job = ended_job(alice)
        for _ in range(2):
            events.sweep()
            run_what_is_due()
    (got,) = receiver.got
    assert got.headers["webhook-signature"] == signature_of(got, hook.secret)
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60
    told = json.loads(got.body)
    assert told["type"] == "job.ended"
    assert told["data"]["url"] == f"https://tuneboard.example.com/jobs/{job.pk}/"
    assert (told["data"]["job"]["first_loss"], told["data"]["job"]["last_loss"]) == (3.0, pytest.approx(0.1))
    assert told["data"]["job"]["curve"][0] == [1, 3.0]
    (finding,) = told["data"]["findings"]
    assert (finding["code"], finding["changes"]) == ("flat", {"epoch_count": 2})
    assert finding["next_job"].endswith(f"/jobs/new/?again={job.pk}&epoch_count=2")
    line = Delivery.objects.get().log.get()
    assert (line.status, line.problem, line.number) == (204, "", 1)


@pytest.mark.usefixtures("internal_allowed")
def test_delivery_is_tried_again_with_longer_and_longer_pauses(alice: User) -> None:
    with receiving(500, 503) as receiver:
        hook = webhook(alice, receiver.url)
        ended_job(alice)
        events.sweep()
        run_what_is_due()
        run_what_is_due()
        assert len(receiver.got) == 1
        for pause in PAUSES[:2]:
            let_pass(pause - timedelta(seconds=20))
            run_what_is_due()
            let_pass(timedelta(seconds=20))
            run_what_is_due()
        assert len(receiver.got) == 3
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    assert all(got.headers["webhook-signature"] == signature_of(got, hook.secret) for got in receiver.got)
    delivery = Delivery.objects.get()
    assert [line.status for line in delivery.log.order_by("pk")] == [500, 503, 204]
    assert delivery.done
    assert delivery.next_try is None


@pytest.mark.usefixtures("internal_allowed")
def test_after_the_last_try_it_is_given_up_until_somebody_sends_it_again(
    alice: User, browser: Client, worker: None
) -> None:
    with receiving(*[500] * TRIES) as receiver:
        webhook(alice, receiver.url)
        ended_job(alice)
        events.sweep()
        for pause in [*PAUSES, timedelta(days=1), timedelta(days=1)]:
            run_what_is_due()
            let_pass(pause)
        assert len(receiver.got) == TRIES
        assert "Given up" in browser.get("/notices/settings/").content.decode()
        delivery = Delivery.objects.get()
        browser.post(f"/notices/settings/again/{delivery.pk}/")
        run_what_is_due()
        assert len(receiver.got) == TRIES + 1
    delivery.refresh_from_db()
    assert delivery.done


@pytest.mark.usefixtures("internal_allowed")
def test_worker_that_dies_over_a_delivery_has_it_sent_later(alice: User) -> None:
    with receiving() as receiver:
        webhook(alice, receiver.url)
        ended_job(alice)
        events.sweep()
        delivery = Delivery.objects.get()
        assert Delivery.objects.claim(delivery)
        assert not Delivery.objects.claim(delivery)  # by another worker, which saw the same row
        run_what_is_due()
        assert receiver.got == []
        let_pass(PAUSES[0])
        run_what_is_due()
        assert len(receiver.got) == 1


def test_delivery_whose_last_try_was_killed_is_given_up(alice: User, browser: Client) -> None:
    webhook(alice, "https://example.com/")
    delivery = Delivery.objects.create(person=alice, way="webhook", tries=TRIES - 1)
    assert Delivery.objects.claim(delivery)
    tasks.sweep.call_local()
    assert "Next try" in browser.get("/notices/settings/").content.decode()
    let_pass(PAUSES[-1])
    tasks.sweep.call_local()
    page = browser.get("/notices/settings/")
    assert "Given up" in page.content.decode()
    assert not page.context["waiting"]


@pytest.mark.usefixtures("internal_allowed")
def test_notice_that_cannot_be_made_says_so_and_keeps_no_other(alice: User, browser: Client) -> None:
    bob = UserFactory()
    with receiving() as receiver:
        Webhook.objects.create(person=alice, url=receiver.url, secret="whsec_x")
        webhook(bob, receiver.url)
        for person in (alice, bob):
            Delivery.objects.create(person=person, way="webhook")
        run_what_is_due()
        assert len(receiver.got) == 1
    page = browser.get("/notices/settings/").content.decode()
    assert "could not put the notice together" in page
    assert "Next try" in page


@pytest.mark.usefixtures("internal_allowed")
def test_receiver_that_is_down_delays_only_its_own(alice: User) -> None:
    bob = UserFactory()
    with receiving(500) as dead, receiving() as well:
        webhook(alice, dead.url)
        webhook(bob, well.url)
        for owner in (alice, alice, alice, bob):
            ended_job(owner)
        events.sweep()
        run_what_is_due()
        assert (len(dead.got), len(well.got)) == (1, 1)
        let_pass(timedelta(minutes=1))
        run_what_is_due()
        assert len(dead.got) == 4


def problem_with(url: str, person: User) -> str:
    """What the log says of a test to ``url``, a while after others."""
    let_pass(HELD_UP)
    Webhook.objects.update_or_create(person=person, defaults={"url": url, "secret": Webhook.new_secret()})
    delivery = Delivery.objects.create(person=person, way="webhook")
    sending.deliver.call()
    return delivery.log.get().problem


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.1.2.3",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2001:0:0:0:0:0:80ff:fffe",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "2001:db8::1",
    ],
)
def test_internal_addresses_are_refused_in_every_spelling(address: str, alice: User) -> None:
    assert not outbound.is_public(address)
    host = f"[{address}]" if ":" in address else address
    assert problem_with(f"https://{host}/", alice) == "internal_address"


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
def test_public_addresses_are_public(address: str) -> None:
    assert outbound.is_public(address)


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f.1", "127.1"])
def test_name_that_leads_inside_is_refused(host: str, alice: User) -> None:
    with receiving() as receiver:
        port = receiver.url.split(":")[2].split("/")[0]
        assert problem_with(f"https://{host}:{port}/", alice) == "internal_address"
    assert receiver.got == []


def test_form_tells_nothing_of_internal_names(browser: Client, settings: Any) -> None:
    def said(host: str) -> str:
        form = browser.post("/notices/settings/webhook/", {"url": f"https://{host}/"}).context["webhook_form"]
        return str(form.errors["url"])

    assert said("localhost").replace("localhost", "") == said("missing.invalid").replace("missing.invalid", "")
    assert "No public host" in said("missing.invalid")
    settings.WEBHOOK_INTERNAL_HOSTS = ["missing.invalid"]
    assert "There is no host of this name." in said("missing.invalid")


def test_one_internal_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch, alice: User) -> None:
    def found(host: str, port: int, **_: Any) -> list[Any]:
        return [(0, 0, 0, "", (address, port)) for address in ("93.184.216.34", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    assert problem_with("https://both.example.com/", alice) == "internal_address"


def test_name_is_looked_up_once_so_that_it_cannot_change_its_mind(
    monkeypatch: pytest.MonkeyPatch, alice: User, settings: Any
) -> None:
    settings.WEBHOOK_INTERNAL_HOSTS = ["rebinding.example.com"]
    asked = []
    real = socket.getaddrinfo

    def found(host: str, *rest: Any, **more: Any) -> Any:
        if host == "127.0.0.1":
            return real(host, *rest, **more)
        asked.append(host)
        return real("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", found)
    with receiving() as receiver:
        assert problem_with(receiver.url.replace("127.0.0.1", "rebinding.example.com"), alice) == ""
    assert asked == ["rebinding.example.com"]
    assert receiver.got[0].headers["Host"].startswith("rebinding.example.com:")


@pytest.mark.usefixtures("internal_allowed")
@pytest.mark.parametrize("place", ["http://169.254.169.254/latest/meta-data/", "{self}"])
def test_redirect_is_not_followed(place: str, alice: User) -> None:
    with receiving(307, 302) as receiver:
        receiver.location = place.format(self=receiver.url)
        assert problem_with(receiver.url, alice) == "redirected"
    assert len(receiver.got) == 1


def test_plain_http_is_refused_where_the_host_is_not_allowed(alice: User, settings: Any) -> None:
    assert problem_with("http://example.com/", alice) == "not_https"
    settings.WEBHOOK_INTERNAL_HOSTS = ["10.0.0.1"]
    with receiving() as receiver:
        assert problem_with(receiver.url, alice) == "not_https"
    assert receiver.got == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "https:///path",
        "https://user:password@example.com/",
        "https://example.com:99999/",
        "https://exa mple.com/",
        "https://[::1/",
        "javascript:alert(1)",
        "https://example.com/\r\nX: y",
        "",
    ],
)
def test_what_is_no_address_is_refused(url: str, alice: User, browser: Client) -> None:
    assert problem_with(url, alice) == "bad_address"
    Webhook.objects.all().delete()
    assert browser.post("/notices/settings/webhook/", {"url": url}).status_code == 200
    assert not Webhook.objects.exists()


@pytest.mark.usefixtures("internal_allowed")
@pytest.mark.parametrize("said", [Silence(), Drip(answer(200, b"x" * 100)), b"nonsense\r\n\r\n", b""])
def test_receiver_that_dawdles_or_talks_nonsense_is_given_up_in_time(
    said: bytes, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "SECONDS", 1.0)
    with scripted(said) as service:
        started = time.monotonic()
        problem = problem_with(service.url, alice)
    assert time.monotonic() - started < 5
    expected = {Silence: "timed_out", Drip: ""}.get(type(said), "bad_answer" if said else "unreachable")
    assert problem == expected


@pytest.mark.usefixtures("internal_allowed")
def test_head_that_trickles_is_cut_off(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "SECONDS", 1.0)
    with scripted(Drip(b"\r\n\r\n" + b"HTTP/1.1 200 Word\r\n" * 20)) as service:
        started = time.monotonic()
        assert problem_with(service.url, alice) in {"timed_out", "bad_answer"}
    assert time.monotonic() - started < 5


def certificate(host: str, folder: Path) -> tuple[Path, Path]:
    """A certificate that ``host`` gave itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = timezone.now()
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{host}.pem", folder / f"{host}.key"
    paths[0].write_bytes(made.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


@pytest.mark.parametrize(
    ("host", "trusted", "problem"),
    [("localhost", True, ""), ("localhost", False, "untrusted"), ("other.example.com", True, "untrusted")],
)
def test_certificate_has_to_be_trusted_and_the_hosts_own(
    *,
    host: str,
    trusted: bool,
    problem: str,
    alice: User,
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.WEBHOOK_INTERNAL_HOSTS = ["localhost"]
    chain, key = certificate(host, tmp_path)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(chain))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain, key)
    with receiving(tls=tls) as receiver:
        assert problem_with(receiver.url, alice) == problem
    assert len(receiver.got) == (not problem)


@pytest.mark.usefixtures("internal_allowed")
def test_https_address_where_nobody_speaks_tls_is_unreachable(alice: User) -> None:
    with receiving() as receiver:
        assert problem_with(receiver.url.replace("http://", "https://"), alice) == "unreachable"


def test_secret_is_shown_once_and_stored_encrypted(browser: Client, alice: User, settings: Any) -> None:
    settings.WEBHOOK_INTERNAL_HOSTS = ["127.0.0.1"]
    page = browser.post("/notices/settings/webhook/", {"url": "https://127.0.0.1/"})
    secret = Webhook.objects.get().secret
    assert secret in page.content.decode()
    assert secret not in browser.get("/notices/settings/").content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM notices_webhook")
        (stored,) = cursor.fetchone()
    assert secret.removeprefix("whsec_") not in stored
    browser.post("/notices/settings/webhook/", {"url": "https://127.0.0.1/other"})
    assert Webhook.objects.get().secret == secret
    renewed = browser.post("/notices/settings/webhook/secret/").content.decode()
    assert Webhook.objects.get().secret != secret
    assert Webhook.objects.get().secret in renewed


def test_secret_outlives_a_new_key_that_knows_the_old_one(alice: User, settings: Any) -> None:
    hook = webhook(alice, "https://example.com/")
    old = settings.SECRET_KEY
    field = Webhook._meta.get_field("secret")
    for name in ("keys", "f"):
        field.__dict__.pop(name, None)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another " * 9, [old]
    assert Webhook.objects.get().secret == hook.secret
    for name in ("keys", "f"):
        field.__dict__.pop(name, None)
    settings.SECRET_KEY_FALLBACKS = []
    assert problem_with_secret(alice) == "secret_lost"
    for name in ("keys", "f"):
        field.__dict__.pop(name, None)


def problem_with_secret(person: User) -> str:
    delivery = Delivery.objects.create(person=person, way="webhook")
    sending.deliver.call()
    return delivery.log.get().problem


@pytest.mark.usefixtures("internal_allowed")
def test_who_presses_test_often_waits_for_the_one_before(browser: Client, alice: User) -> None:
    def presses() -> None:
        for _ in range(3):
            browser.post("/notices/settings/test/webhook/")
            browser.post(f"/notices/settings/again/{Delivery.objects.latest('pk').pk}/")

    with receiving(500) as receiver:
        webhook(alice, receiver.url)
        presses()
        run_what_is_due()
        presses()
        run_what_is_due()
        assert len(receiver.got) == Delivery.objects.count() == 1
        assert "On its way" in browser.get("/notices/settings/").content.decode()
        let_pass(HELD_UP)
        run_what_is_due()
        presses()
        assert len(receiver.got) == Delivery.objects.count() == 2


@pytest.mark.usefixtures("internal_allowed")
def test_a_way_that_failed_just_now_is_left_alone_by_tests_too(alice: User, browser: Client) -> None:
    with receiving(500) as receiver:
        webhook(alice, receiver.url)
        ended_job(alice)
        events.sweep()
        run_what_is_due()
        browser.post("/notices/settings/test/webhook/")
        browser.post(f"/notices/settings/again/{Delivery.objects.earliest('pk').pk}/")
        run_what_is_due()
        assert len(receiver.got) == 1
        let_pass(HELD_UP)
        run_what_is_due()
        assert len(receiver.got) == 3


@pytest.mark.usefixtures("internal_allowed")
@pytest.mark.django_db(transaction=True)
def test_receiver_that_dawdles_takes_one_thread_of_the_worker_at_most(alice: User) -> None:
    with scripted(Silence()) as service:
        webhook(alice, service.url)
        delivery = Delivery.objects.create(person=alice, way="webhook")
        sender = Thread(target=in_the_worker, args=[sending.deliver.call])
        sender.start()
        while not service.asked:
            assert sender.is_alive()
        Delivery.objects.create(person=UserFactory(), way="mail")
        started = time.monotonic()
        sending.deliver.call()
        assert time.monotonic() - started < 1
        assert sender.is_alive()
        assert Delivery.objects.due().count() == 1
        service.done.set()
        sender.join()
    assert delivery.log.get().problem == "unreachable"
    assert not Delivery.objects.due().exists()


@pytest.mark.usefixtures("internal_allowed", "worker")
def test_test_is_sent_and_shown_in_the_log(browser: Client, alice: User) -> None:
    with receiving() as receiver:
        webhook(alice, receiver.url)
        browser.post("/notices/settings/test/webhook/")
        run_what_is_due()
    assert json.loads(receiver.got[0].body)["type"] == "test"
    page = browser.get("/notices/settings/").content.decode()
    assert "Delivered." in page
    assert "try 1 of 6" in page


def test_log_is_renewed_only_when_something_came(browser: Client, alice: User) -> None:
    delivery = Delivery.objects.create(person=alice, way="webhook")
    seen = browser.get("/notices/settings/").context["seen"]
    assert browser.get("/notices/settings/log/", {"seen": seen}).status_code == 204
    delivery.tries = 1
    delivery.save()
    delivery.note(0.5, 500, "turned_down")
    news = browser.get("/notices/settings/log/", {"seen": seen}).content.decode()
    assert "did not accept" in news
    assert "Next try" in news


def test_ways_and_deliveries_of_others_are_out_of_reach(browser: Client) -> None:
    theirs = Delivery.objects.create(person=UserFactory(), way="webhook")
    assert browser.post(f"/notices/settings/again/{theirs.pk}/").status_code == 404
    for path in ("test/webhook/", "test/mail/", "test/page/", "test/pigeon/", "webhook/secret/", "webhook/remove/"):
        assert browser.post(f"/notices/settings/{path}").status_code == 404


def test_removed_webhook_has_nothing_more_to_do(browser: Client, alice: User) -> None:
    webhook(alice, "https://example.com/")
    ended_job(alice)
    events.sweep()
    browser.post("/notices/settings/webhook/remove/")
    run_what_is_due()
    delivery = Delivery.objects.get()
    assert delivery.next_try is None
    assert not delivery.log.exists()
    assert timezone.now() > delivery.created
