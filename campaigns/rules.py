"""Whether a mail may go out now, and if not, when: the limit of mails per person over all campaigns, and the hours of the person's day."""

from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from accounts.remembered import remembered
from campaigns.clock import next_hour, zone_of
from campaigns.models import MailRules, Message
from leads.models import Contact

State = Message.State


def put_off_until(contact: Contact, rules: MailRules, now: datetime) -> tuple[datetime, str] | None:
    """(when, why) a mail to this person must wait for; nothing when it may go now.

    With a limit per person it locks the contact, so that two workers can't send two last mails at once; with one per domain it moves whatever else waits
    for the domain (`line_up`).
    """
    moment, why = now, ""
    if rules.most_mails:
        Contact.objects.select_for_update(no_key=True).get(pk=contact.pk)
        if (free := free_again(contact, rules, now)) > now:
            moment, why = free, "throttled"
    if rules.most_per_domain and (free := domain_free_again(domain_of(contact.email), rules, now)) > moment:
        line_up(domain_of(contact.email), free, rules)
        moment, why = free, "domain"
    if rules.keeps_hours:
        opens = next_opening(moment, rules, zone_of(contact.country))
        if opens > moment:
            moment, why = opens, why or "quiet"
    return (moment, why) if why else None


def free_again(contact: Contact, rules: MailRules, now: datetime) -> datetime:
    """When the oldest of the last so many mails is old enough."""
    span = timedelta(days=rules.per_days)
    went = Message.objects.filter(
        enrollment__lead__contact=contact, state__in=(State.SENT, State.SENDING, State.UNCERTAIN), claimed_at__gt=now - span
    )
    last = [at for at in went.order_by("-claimed_at").values_list("claimed_at", flat=True)[: rules.most_mails] if at]
    return last[-1] + span if len(last) == rules.most_mails else now


def domain_of(address: str) -> str:
    return address.rpartition("@")[2][:255]


def domain_free_again(domain: str, rules: MailRules, now: datetime) -> datetime:
    """When the oldest of the last so many mails to this domain is an hour old. Takes a lock of the domain, so that two workers can't both send the last one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"mail to {domain}"])
    hour = timedelta(hours=1)
    went = Message.objects.filter(domain=domain, claimed_at__gt=now - hour).order_by("-claimed_at").values_list("claimed_at", flat=True)
    last = [at for at in went[: rules.most_per_domain] if at]
    return last[-1] + hour if len(last) == rules.most_per_domain else now


def line_up(domain: str, free: datetime, rules: MailRules) -> None:
    """Whatever else is due to this domain waits too, in the order it was due, an hour after the other as many as may go: one by one they would keep all
    other mail waiting. Locks the messages, skipping those others hold."""
    with connection.cursor() as cursor:
        cursor.execute(LINE_UP, {"domain": domain, "free": free, "most": rules.most_per_domain})


LINE_UP = """
    WITH waiting AS MATERIALIZED (
        SELECT m.id, m.due_at FROM campaigns_message m JOIN campaigns_enrollment e ON e.id = m.enrollment_id JOIN leads_lead l ON l.id = e.lead_id
        JOIN leads_contact c ON c.id = l.contact_id
        WHERE m.state = 'planned' AND m.due_at <= now() AND substring(c.email FROM '[^@]*$') = %(domain)s FOR NO KEY UPDATE OF m SKIP LOCKED
    ), line AS (SELECT id, (row_number() OVER (ORDER BY due_at, id) - 1) / %(most)s AS hours FROM waiting)
    UPDATE campaigns_message m SET due_at = %(free)s + line.hours * interval '1 hour', reason = 'domain' FROM line WHERE m.id = line.id
"""


def next_opening(moment: datetime, rules: MailRules, zone: str) -> datetime:
    """The moment itself within working hours there, else the next time that they begin. A night that loses or gains an hour has its usual hours."""
    there = moment.astimezone(ZoneInfo(zone))
    if rules.from_hour == rules.to_hour:  # the whole day
        return moment if there.isoweekday() in rules.weekdays else next_hour(moment, {"minute": 0, "weekdays": rules.weekdays}, zone)
    closes = datetime.combine(there.date() + timedelta(days=rules.to_hour // 24), time(rules.to_hour % 24), ZoneInfo(zone))
    if there.isoweekday() in rules.weekdays and there.hour >= rules.from_hour and there < closes:
        return moment
    return next_hour(moment, {"minute": rules.from_hour * 60, "weekdays": rules.weekdays}, zone)


def per_person() -> tuple[list[tuple[int, int]], list[tuple[Contact, int]]]:
    """Of the last 30 days: (mails, people who got so many) for each number of mails; and (person, mails) of the ten who got most."""

    def counted() -> list[tuple[str, str, int]]:
        with connection.cursor() as cursor:
            cursor.execute(PER_PERSON, [timezone.now() - timedelta(days=30)])
            return list(cursor.fetchall())

    rows = remembered("campaigns mail per person", counted)
    most = [(UUID(who), n) for what, who, n in rows if what == "most"]
    contacts = Contact.objects.select_related("company").in_bulk([pk for pk, _n in most])
    return sorted((int(mails), n) for what, mails, n in rows if what == "spread"), [(contacts[pk], n) for pk, n in most if pk in contacts]


PER_PERSON = """
    WITH got AS MATERIALIZED (
        SELECT l.contact_id, count(*) AS n FROM campaigns_message m JOIN campaigns_enrollment e ON e.id = m.enrollment_id
        JOIN leads_lead l ON l.id = e.lead_id WHERE m.state = 'sent' AND m.sent_at > %s GROUP BY l.contact_id
    )
    SELECT 'spread', n::text, count(*) FROM got GROUP BY n
    UNION ALL (SELECT 'most', contact_id::text, n FROM got ORDER BY n DESC, contact_id LIMIT 10)
"""
