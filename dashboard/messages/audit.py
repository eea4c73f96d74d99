"""What the audit log tells (codes: ``noun.verb``, as :func:`dashboard.audit.record` is given them), read after a name:
who did it stands before. ``%(name)s`` is what it was done to.
"""

from collections import defaultdict
from collections.abc import Mapping

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

AUDIT = {
    "account.connected": _("Connected the account %(account)s to “%(name)s”"),
    "account.disconnected": _("Disconnected the account %(account)s from “%(name)s”"),
    "account.reconnect": _("The account %(account)s of %(person)s has to be connected to “%(name)s” anew"),
    "audit.exported": _("Exported the audit log"),
    "audit.swept": _("Removed %(count)s entries from before %(before)s, kept long enough"),
    "base.added": _("Had the base model “%(name)s” made ready"),
    "base.removed": _("Removed the base model “%(name)s”"),
    "cleanup.started": _("Began to clean up %(models)s models (%(fate)s)"),
    "connection.changed": _("Changed the connection “%(name)s” (%(fields)s)"),
    "connection.created": _("Set up the connection “%(name)s”"),
    "connection.removed": _("Removed the connection “%(name)s”, %(jobs)s jobs and %(models)s models with it"),
    "connection.tested": _("Tested the connection “%(name)s”: %(missing)s things are missing"),
    "dataset.created": _("Created the dataset “%(name)s”, %(examples)s examples"),
    "dataset.deleted": _("Deleted the dataset “%(name)s”"),
    "dataset.downloaded": _("Downloaded version %(version)s of the dataset “%(name)s”"),
    "dataset.handed_over": _("Handed the dataset “%(name)s” over to %(heir)s"),
    "dataset.renamed": _("Renamed the dataset “%(before)s” to “%(name)s”"),
    "dataset.version_added": _("Added version %(version)s to the dataset “%(name)s”, %(examples)s examples"),
    "evaluation.deleted": _("Deleted the evaluation “%(name)s”"),
    "evaluation.exported": _("Downloaded the answers of the evaluation “%(name)s” as %(form)s"),
    "evaluation.resumed": _("Had the evaluation “%(name)s” go on"),
    "evaluation.started": _("Began to evaluate “%(name)s”, %(examples)s examples"),
    "evaluation.stopped": _("Stopped the evaluation “%(name)s”"),
    "invitation.created": _("Made an invitation for “%(name)s”"),
    "invitation.revoked": _("Revoked the invitation for “%(name)s”"),
    "invitation.used": _("Came by the invitation for “%(name)s”"),
    "job.bundled": _("Downloaded the bundle of the job “%(name)s”"),
    "job.cancelled": _("Cancelled the job “%(name)s”"),
    "job.created": _("Started the job “%(name)s”"),
    "job.deleted": _("Deleted the job “%(name)s” with its model and adapter"),
    "job.exported": _("Downloaded “%(name)s” as %(form)s"),
    "job.forgotten": _("Let go of the job “%(name)s”; its model belongs to somebody else and stays"),
    "job.handed_over": _("Handed the job “%(name)s” over to %(heir)s"),
    "job.imported": _("Brought in the job “%(name)s” from %(connection)s"),
    "job.moved": _("Moved the job “%(name)s” in the queue (%(to)s)"),
    "job.noted": _("Changed the notes of the job “%(name)s”"),
    "job.run_again": _("Ran the job “%(name)s” exactly again"),
    "job.refused": _("The service refused the job “%(name)s”: %(code)s"),
    "job.retried": _("Had the job “%(name)s” tried again"),
    "job.series_exported": _("Downloaded the loss curve of “%(name)s” as %(form)s"),
    "job.tagged": _("Put the tag “%(tag)s” on the job “%(name)s”"),
    "job.untagged": _("Took the tag “%(tag)s” off the job “%(name)s”"),
    "key.created": _("Made the API key “%(name)s”"),
    "key.revoked": _("Revoked the API key “%(name)s”"),
    "key.used": _("Used the API key “%(name)s”, last at %(at)s"),
    "library.downloaded": _("Downloaded the library’s export “%(name)s”"),
    "library.exported": _("Exported the library: %(models)s models, %(datasets)s datasets"),
    "library.file_removed": _("Removed the library’s export “%(name)s”"),
    "library.uploaded": _("Uploaded the library’s file “%(name)s”"),
    "library.imported": _("Brought in a library: %(models)s models, %(datasets)s datasets"),
    "model.archived": _("Archived the model “%(name)s”"),
    "model.deleted": _("Deleted the model “%(name)s” for good, with its adapter: its time in the bin was over"),
    "model.expired": _("The model “%(name)s” was kept as long as it was to be"),
    "model.expiry_lifted": _("Took the expiry date off the model “%(name)s”"),
    "model.expiry_set": _("Set the model “%(name)s” to expire on %(until)s (%(fate)s)"),
    "model.handed_over": _("Gave the model “%(name)s” of %(before)s to %(owner)s"),
    "model.noted": _("Changed the notes of the model “%(name)s”"),
    "model.presented": _("Changed %(fields)s of the model “%(name)s”"),
    "model.purged": _("Had the model “%(name)s” deleted for good before its time in the bin was over"),
    "model.removed": _("Put the model “%(name)s” into the bin, until %(until)s"),
    "model.restored": _("Restored the model “%(name)s”"),
    "model.role_changed": _("Made %(grantee)s, who was %(before)s, %(role)s of the model “%(name)s”"),
    "model.shared": _("Shared the model “%(name)s” with %(grantee)s as %(role)s"),
    "model.tagged": _("Put the tag “%(tag)s” on the model “%(name)s”"),
    "model.unarchived": _("Took the model “%(name)s” out of the archive"),
    "model.unshared": _("Stopped sharing the model “%(name)s” with %(grantee)s"),
    "model.untagged": _("Took the tag “%(tag)s” off the model “%(name)s”"),
    "person.activated": _("Made the account %(name)s active again"),
    "person.administrator_made": _("Made %(name)s an administrator"),
    "person.administrator_unmade": _("Made %(name)s a member: no administrator any more"),
    "person.created": _("Created the account %(name)s"),
    "person.deactivated": _("Made the account %(name)s inactive: signed out, API keys revoked"),
    "person.gone": _("Nothing is left with %(name)s: all is handed over or removed, API keys are revoked"),
    "person.linked": _("Linked the account %(email)s at %(issuer)s with %(name)s"),
    "person.password_changed": _("Changed the password of %(name)s"),
    "person.password_chosen": _("Chose a new password for %(name)s, by a link"),
    "person.password_forgotten": _("Asked for a link to choose a new password"),
    "person.quota_changed": _("Set the limits of %(name)s: jobs at once %(jobs)s, storage %(storage)s"),
    "person.renamed": _("Changed the name of %(name)s"),
    "person.seen_off": _("Saw %(name)s off: all goes to %(heir)s; removed: %(removed)s"),
    "person.sign_in_blocked": _("Tried too often to sign in; further tries are refused for a while"),
    "person.sign_in_failed": _("Failed to sign in"),
    "person.signed_in": _("Signed in"),
    "person.signed_in_by": _("Signed in by %(provider)s"),
    "person.signed_out": _("Signed out"),
    "person.signed_out_everywhere": _("Signed out on every device"),
    "person.unlinked": _("Unlinked the account %(email)s at %(issuer)s from %(name)s"),
    "person.way_in_made": _("Made a link by which %(name)s comes in once, on this machine’s command line"),
    "person.way_in_used": _("Signed in by a link of this machine’s command line"),
    "preset.changed": _("Changed the preset “%(name)s”"),
    "preset.created": _("Saved the preset “%(name)s”"),
    "preset.deleted": _("Deleted the preset “%(name)s”"),
    "preset.handed_over": _("Handed the preset “%(name)s” over to %(heir)s"),
    "sweep.created": _("Started the sweep “%(name)s”, %(jobs)s jobs"),
    "sweep.refused": _("The service refused the sweep “%(name)s”: %(code)s"),
    "sweep.stopped": _("Cancelled the sweep “%(name)s”"),
    "team.created": _("Created the team “%(name)s”"),
    "team.deleted": _("Deleted the team “%(name)s”"),
    "team.left": _("Left the team “%(name)s”"),
    "team.manager_made": _("Made %(person)s a manager of the team “%(name)s”"),
    "team.manager_unmade": _("Made %(person)s an ordinary member of the team “%(name)s”"),
    "team.member_added": _("Added %(person)s to the team “%(name)s”"),
    "team.member_removed": _("Removed %(person)s from the team “%(name)s”"),
    "team.renamed": _("Renamed the team “%(before)s” to “%(name)s”"),
    "view.deleted": _("Removed the view “%(name)s”"),
    "view.handed_over": _("Handed the view “%(name)s” over to %(heir)s"),
    "view.saved": _("Saved the view “%(name)s”"),
    "webhook.removed": _("Removed the webhook"),
    "webhook.renewed": _("Made another secret for the webhook"),
    "webhook.set": _("Set the webhook to %(host)s"),
}

NOUNS = {
    "account": _("Accounts at services"),
    "audit": _("Audit log"),
    "base": _("Base models"),
    "connection": _("Connections"),
    "dataset": _("Datasets"),
    "evaluation": _("Evaluations"),
    "invitation": _("Invitations"),
    "job": _("Jobs"),
    "key": _("API keys"),
    "model": _("Models"),
    "person": _("People"),
    "preset": _("Presets"),
    "sweep": _("Sweeps"),
    "team": _("Teams"),
    "view": _("Views"),
    "webhook": _("Webhooks"),
}


def explain_entry(event: str, name: str, facts: Mapping[str, object]) -> str:
    """What happened, as a sentence without who did it. A code that nobody knows any more stands for itself."""
    told = defaultdict(lambda: "?", facts, name=name)
    return str(AUDIT[event]) % told if event in AUDIT else f"{event} {name}".strip()


def show_entry(event: str, name: str, facts: Mapping[str, object], url: str) -> SafeString:
    """The same for a page, the name leading to ``url`` where there is one."""
    link = format_html('<a href="{}">{}</a>', url, name) if url else escape(name)
    if event not in AUDIT:
        return format_html("{} {}", event, link)
    told: dict[str, str] = defaultdict(lambda: "?", {fact: escape(value) for fact, value in facts.items()}, name=link)
    return SafeString(escape(AUDIT[event]) % told)  # every piece was escaped
