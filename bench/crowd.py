"""Many leads at once, made by SQL: each with its contact, an interaction and a line on its timeline; every second contact has two leads.

The crowd grows and is never rebuilt: rows of the table that want it small come before those that want it large. What a number's lead looks like
depends on the number alone; each growth spreads over the year before it.
"""

from bench import cast
from bench.database import empty, run, settle, value
from bench.rows import say, seconds
from insights.tally import rebuild

TABLES = ("leads_company", "leads_contact", "leads_lead", "leads_interaction", "leads_activity", "leads_demand", "insights_counted", "insights_dailytally", "insights_responsetally")  # fmt: skip
RARE = "quillfeather"
CHUNK = 500_000


def grow(leads: int) -> None:
    """See to it that there are at least so many leads, counted and analysed. Each contact has two."""
    there = value("SELECT count(*) FROM leads_lead")
    if there >= leads:
        return
    if not there:
        empty()
    say(f"  making {leads - there:,} leads")
    took = seconds(lambda: add(there, leads))
    say(f"  made in {took:.0f} s")


def add(there: int, leads: int) -> None:
    gathered = cast.gather()
    known = {"listings": [one.pk for one in gathered.listings], "sellers": [one.pk for one in gathered.sellers], "rare": RARE.title()}
    words = value("SELECT pg_get_indexdef('contact_words'::regclass)")
    run("DROP INDEX contact_words")  # much sooner made for all at once
    for low in range(there, leads, CHUNK):
        span = {**known, "low": low, "high": min(low + CHUNK, leads), "from": there, "to": leads}
        for statement in (COMPANIES, CONTACTS, LEADS, INTERACTIONS, ACTIVITIES, DEMAND):
            run(statement, span)
    run(words)
    rebuild()
    settle(*TABLES)


def kin(kind: str, number: str) -> str:
    """The id that belongs to a number."""
    return f"('0190000{kind}-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"


def chance(salt: int, below: int, number: str = "i") -> str:
    """A figure from 0 on that depends on the number alone and looks like chance."""
    return f"((hashint8({number} * 31 + {salt})::bigint & 2147483647) %% {below})"


FIRST = "(ARRAY['Ana','Bruno','Carla','Daniel','Elena','Filip','Grace','Hugo','Irina','Jana','Kofi','Lena','Marek','Nadia','Omar','Petra','Quentin','Rosa','Stefan','Tereza'])"
LAST = "(ARRAY['Almeida','Bakker','Castro','Dvorak','Eze','Fischer','Garcia','Hansen','Ivanova','Jansen','Kral','Lopez','Mulder','Novak','Okafor','Pereira','Ruiz','Silva','Torres','Urban','Visser','Weber'])"
SECTOR = "(ARRAY['Logistics','Foods','Engineering','Health','Energy','Insurance','Builders','Freight'])"
COMPANIES = f"""
    INSERT INTO leads_company (id, key, name, domain, country)
    SELECT {kin("a", "c")}, 'domain:firm' || c || '.example', 'Firm ' || c || ' ' || {SECTOR}[1 + {chance(1, 8, "c")}], 'firm' || c || '.example', 'CZ'
    FROM generate_series(%(low)s::bigint / 8 + 1, %(high)s / 8) AS c
"""
CONTACTS = f"""
    INSERT INTO leads_contact (id, key, first_name, last_name, email, phone, country, country_said, title, company_id, company_said, email_kind, seniority,
        words, created_at)
    SELECT {kin("c", "c")}, email, first, last, email, '+' || phone, country, country, title, {kin("a", "(c + 3) / 4")}, firm, 'business', c %% 4,
        array[lower(first), lower(last), email, domain, 'firm', lower(firm), lower(last) || c] ||
            array(SELECT substr(phone, s) FROM generate_series(1, length(phone) - 3) AS s), now()
    FROM (
        SELECT c, first, last, 'firm' || (c + 3) / 4 || '.example' AS domain, lower(first) || '.' || lower(last) || c || '@firm' || (c + 3) / 4 || '.example' AS email,
            '420' || lpad((c * 7919 %% 1000000000)::text, 9, '0') AS phone, (ARRAY['CZ','BR','NL','US','ES','DE'])[1 + c %% 6] AS country,
            (ARRAY['CIO','IT Director','Head of Operations','Procurement Manager','Developer',''])[1 + c %% 6] AS title, 'Firm ' || (c + 3) / 4 AS firm
        FROM (SELECT c, {FIRST}[1 + {chance(2, 20, "c")}] AS first, CASE WHEN c %% 40000 = 777 THEN %(rare)s ELSE {LAST}[1 + {chance(3, 22, "c")}] END AS last
              FROM generate_series(%(low)s::bigint / 2 + 1, %(high)s / 2) AS c) AS named
    ) AS made
"""
# Of a thousand: 300 new, 250 nurturing, 150 qualified, 100 accepted, 80 opportunity, 50 won, 50 lost, 20 disqualified. Four in five owned ones were answered.
LEADS = f"""
    INSERT INTO leads_lead (id, contact_id, listing_id, status, received_at, last_activity_at, interaction_count, active_days, last_interaction_at,
        last_action, actions, said_length, score, fit, intent, cluster, score_version, score_points, owner_id, owner_reason, assigned_at, respond_by,
        first_response_at, qualified_at, opportunity_at, won_at, closed_at, revision, follow_error)
    SELECT {kin("e", "i")}, {kin("c", "(i + 1) / 2")}, listing, status, at, at, 1 + i %% 3, 1 + i %% 2, at, action, array[action], i %% 200,
        fit + intent, fit, intent, (ARRAY['act_now','nurture','evaluate','educate'])[1 + i %% 4], 1, array[fit, intent, 0, 0]::smallint[],
        CASE WHEN owned THEN seller END, '{{}}', CASE WHEN owned THEN at END, CASE WHEN owned THEN at + interval '1 day' END,
        CASE WHEN owned AND answered THEN at + minutes * interval '1 minute' END, CASE WHEN part >= 550 AND part < 930 THEN at + interval '2 days' END,
        CASE WHEN part >= 800 AND part < 930 THEN at + interval '5 days' END, CASE WHEN part >= 880 AND part < 930 THEN at + interval '9 days' END,
        CASE WHEN part >= 880 THEN at + interval '9 days' END, 1, ''
    FROM (
        SELECT i, part, (%(listings)s::bigint[])[1 + i %% array_length(%(listings)s::bigint[], 1)] AS listing, part >= 550 AS owned, {chance(9, 5)} > 0 AS answered,
            now() - interval '360 days' * (%(to)s - i)::float8 / (%(to)s - %(from)s) AS at, (ARRAY['INS','PLT','StartTestDrive','Create'])[1 + i %% 4] AS action,
            (ARRAY['new','nurturing','qualified','accepted','opportunity','won','lost','disqualified'])
                [CASE WHEN part < 300 THEN 1 WHEN part < 550 THEN 2 WHEN part < 700 THEN 3 WHEN part < 800 THEN 4 WHEN part < 880 THEN 5 WHEN part < 930 THEN 6
                 WHEN part < 980 THEN 7 ELSE 8 END] AS status,
            {chance(4, 51)} AS fit, {chance(5, 51)} AS intent, (%(sellers)s::bigint[])[1 + {chance(6, 1_000_000)} %% array_length(%(sellers)s::bigint[], 1)] AS seller,
            (power({chance(7, 1000)} / 1000.0, 3) * 4320)::int AS minutes
        FROM (SELECT i, {chance(8, 1000)} AS part FROM generate_series(%(low)s::bigint + 1, %(high)s) AS i) AS dealt
    ) AS made
"""
INTERACTIONS = f"""
    INSERT INTO leads_interaction (id, lead_id, received_at, source, action, lead_source, offer, offer_title, description, extra, deliveries)
    SELECT {kin("b", "i")}, l.id, l.received_at, 'AzureMarketplace', l.last_action, 'AzureMarketplace-INS|contoso.offer', 'contoso.offer', 'Offer', 'Please call.', '{{}}', 1
    FROM generate_series(%(low)s::bigint + 1, %(high)s) AS i JOIN leads_lead l ON l.id = {kin("e", "i")}
"""
ACTIVITIES = f"""
    INSERT INTO leads_activity (id, lead_id, at, kind, data)
    SELECT {kin("d", "i")}, l.id, l.received_at, 'acted', jsonb_build_object('source', 'AzureMarketplace', 'action', l.last_action, 'said', '', 'new', true)
    FROM generate_series(%(low)s::bigint + 1, %(high)s) AS i JOIN leads_lead l ON l.id = {kin("e", "i")}
"""
DEMAND = f"""
    INSERT INTO leads_demand (id, listing_id, kind, received_at, action, counted)
    SELECT {kin("f", "i")}, (%(listings)s::bigint[])[1 + i / 20 %% array_length(%(listings)s::bigint[], 1)],
        CASE WHEN i %% 3 = 0 THEN 'asked_neighbour' ELSE 'anonymous' END, now() - interval '360 days' * (%(to)s - i)::float8 / (%(to)s - %(from)s), 'INS', true
    FROM generate_series(%(low)s::bigint + 20, %(high)s, 20) AS i
"""
