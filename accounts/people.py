"""Who may sign in and as what. There is always an admin who can, and nobody shuts themselves out."""

from collections.abc import Sequence

from allauth.account.forms import ResetPasswordForm
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import ADMIN


def admins_besides(user: User) -> bool:
    """Whether another active admin could take over. Locks the role itself, so that two who leave at once come one after the other, and the second
    sees the first gone."""
    Group.objects.select_for_update(no_key=True).get(name=ADMIN)
    return User.objects.filter(is_active=True, groups__name=ADMIN).exclude(pk=user.pk).exists()


def give_roles(user: User, roles: Sequence[str], told: Sequence[str] = ()) -> None:
    """Make these the user's roles and keep what is `told` of them; admins also enter the back office. Raises ValidationError when nobody would be left to administer."""
    with transaction.atomic():
        if user.is_active and ADMIN in user.role_names and ADMIN not in roles and not admins_besides(user):
            raise ValidationError(_("This is the last admin; give somebody else the role first."))
        user.groups.set(Group.objects.filter(name__in=roles))
        user.is_staff = user.is_superuser = ADMIN in roles
        user.save(update_fields=[*told, "is_staff", "is_superuser"])  # and not whether they may sign in, which somebody may have changed meanwhile
    user.__dict__.pop("role_names", None)


def invite(user: User, roles: Sequence[str]) -> None:
    """Keep a new person without a password; they set one by the link in their mail."""
    with transaction.atomic():
        user.set_unusable_password()
        user.save()
        give_roles(user, roles)


def mail_password_link(request: HttpRequest, user: User) -> bool:
    """Send the person a link to set their password; returns whether the mail server took it."""
    form = ResetPasswordForm({"email": user.email})
    if not form.is_valid():
        return False
    try:
        form.save(request)
    except OSError:  # smtplib's errors are among them
        return False
    return True


def switch(user: User, active: bool, by: User) -> None:
    """Let a person in again, or out: sessions and tokens of somebody inactive open nothing. Raises ValidationError for oneself and for the last admin."""
    with transaction.atomic():
        if not active and user.pk == by.pk:
            raise ValidationError(_("You can't shut yourself out; another admin can."))
        if not active and ADMIN in user.role_names and not admins_besides(user):
            raise ValidationError(_("This is the last admin; give somebody else the role first."))
        User.objects.filter(pk=user.pk).update(is_active=active)
