"""How a mail looks: its text as HTML, by MJML, which every mail program can show. Made when the text is saved; who it goes to is filled in at sending.

A text has the portal's own plain letter around it, or a look of its own in MJML. Nothing in either is ever run, and nothing is fetched from elsewhere.
"""

import re

from django.core.exceptions import ValidationError
from django.template.defaultfilters import linebreaksbr
from django.utils import translation
from django.utils.html import escape, urlize
from django.utils.translation import gettext as _
from mjml import mjml2html

UNSUBSCRIBE = re.compile(r"\{\{\s*unsubscribe\s*\}\}")
LOADS = re.compile(r"<mj-include|<script|<mj-font|@import", re.IGNORECASE)
PAGE = """<mjml lang="{language}"><mj-head>
<mj-attributes><mj-all font-family="Arial, Helvetica, sans-serif"/><mj-text font-size="16px" line-height="1.5" color="#1c1c1c" padding="0 0 16px"/></mj-attributes>
<mj-raw><meta name="color-scheme" content="light dark"></mj-raw>
<mj-style>a {{ color: #0f5ea8; }}
@media (prefers-color-scheme: dark) {{ body, .page, .page > div {{ background: #17181a !important; }} .page div {{ color: #e8e8e6 !important; }}
.page a {{ color: #8ec1f5 !important; }} }}</mj-style></mj-head>
<mj-body background-color="#ffffff" css-class="page" width="600px"><mj-section padding="24px 16px"><mj-column>{paragraphs}
<mj-divider border-width="1px" border-color="#c9c9c6" padding="8px 0 16px"/>
<mj-text font-size="13px">{{{{ publisher.name }}}}<br/><a href="{{{{ unsubscribe }}}}">{unsubscribe}</a></mj-text>
</mj-column></mj-section></mj-body></mjml>"""


def html_of(body: str, mjml: str, language: str) -> str:
    """The HTML of a text, its placeholders still in it. Raises ValidationError for MJML that can't be read."""
    return compiled(mjml) if mjml.strip() else compiled(plain_letter(body, language))


def plain_letter(body: str, language: str) -> str:
    """The text, paragraph by paragraph, as MJML. Addresses become links."""
    paragraphs = (part.strip() for part in re.split(r"\n\s*\n", body.replace("\r\n", "\n")) if part.strip())
    told = "".join(f"<mj-text>{linebreaksbr(urlize(part, autoescape=True), autoescape=False)}</mj-text>" for part in paragraphs)
    with translation.override(language):
        return PAGE.format(language=escape(language), paragraphs=told, unsubscribe=escape(_("Unsubscribe")))


def compiled(mjml: str) -> str:
    if LOADS.search(mjml):
        raise ValidationError(_("A mail loads nothing: includes, scripts and fonts from elsewhere are left out."))
    try:
        return str(mjml2html(mjml))
    except ValueError as error:
        raise ValidationError(_("The MJML can’t be read: %(why)s"), params={"why": error}) from None


def addressed(html: str, link: str) -> str:
    """The HTML with the recipient's own link to stop the mail."""
    return UNSUBSCRIBE.sub(lambda _match: escape(link), html)
