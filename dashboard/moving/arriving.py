"""A library on its way in: people, teams, datasets, then model by model, each whole or not at all.

What was brought in before is recognised and left as it is, so that who was interrupted begins anew without doubles.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO, cast

from django.db import IntegrityError, transaction
from django.db.models import Q

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.datasets import contents
from dashboard.datasets.models import Dataset, DatasetVersion
from dashboard.evaluations.models import tell_model
from dashboard.jobs.models import Job, Tag
from dashboard.jobs.tags import folded
from dashboard.library.models import Grant, TunedModel
from dashboard.moving import records
from dashboard.moving.archive import LIBRARY, ArchiveError, Reading
from dashboard.moving.leaving import Outcome
from dashboard.moving.records import DatasetRecord, JobRecord, Library, ModelRecord, TeamRecord, VersionRef
from dashboard.moving.remaking import COPIED, carried, cleaned, recipe_of, scored, tell, unsaved_job
from dashboard.teams.models import Membership, Team
from tuning import datasets
from tuning.datasets import Limits
from tuning.errors import AlreadyExists, DatasetError, NotFound, ServiceError, Unavailable, Unimplemented
from tuning.providers import Grantee, JobRef, Keeper, Role, Sharer

Told = Callable[[int, int], None]


class Arrival:
    """One archive being brought in by an administrator."""

    def __init__(self, source: Reading, administrator: User) -> None:
        self._source = source
        self._administrator = administrator
        self._library: Library = records.read(source.read(LIBRARY))
        self._people: dict[str, User] = {}
        self._teams: dict[str, Team] = {}
        self._versions: dict[VersionRef, DatasetVersion] = {}
        self.outcome = Outcome()

    def bring(self, told: Told = lambda done, total: None) -> Outcome:
        """All of it. A model that cannot be kept is told of, and no reason for the others.

        Raises ``Unavailable`` where a service does not answer or makes a base model ready: begin again later. Raises
        ``ArchiveError`` where people, teams or datasets are none.
        """
        try:
            self._bring_people()
            for dataset in self._library.datasets:
                self._bring_dataset(dataset)
        except IntegrityError:  # what there may be once is there twice
            raise ArchiveError("archive_strange", name=LIBRARY) from None
        for done, model in enumerate(self._library.models):
            told(done, len(self._library.models))
            try:
                self._bring_model(model)
            except Unavailable:
                raise
            except (ServiceError, ArchiveError) as error:
                self.outcome.failed.append((model.display_name, error))
            except IntegrityError:  # what there may be once is there twice
                strange = ArchiveError("archive_strange", name=f"{LIBRARY}: {model.name}")
                self.outcome.failed.append((model.display_name, strange))
        self._tie()
        told(len(self._library.models), len(self._library.models))
        return self.outcome

    def _bring_people(self) -> None:
        with transaction.atomic():
            for person in self._library.people:
                self._people[person.email] = _person(person.email, person.name)
            for team in self._library.teams:
                self._teams[team.name] = self._team(team)

    def _team(self, record: TeamRecord) -> Team:
        """The team; who is in one that is here already, is for its managers here to say."""
        team = Team.objects.filter(Q(name=record.name) | Q(address=record.address)).first()
        if team is None:
            team = Team(name=record.name, address=record.address)
            cleaned(team)
            team.save()
            for member in record.members:
                Membership.objects.create(team=team, person=self._who(member.email), is_manager=member.is_manager)
        return team

    def _bring_dataset(self, record: DatasetRecord) -> None:
        if not record.versions:
            raise ArchiveError("archive_strange", name=f"{LIBRARY}: {record.name}"[:100])
        owner = self._who(record.owner)
        hashes = [version.sha256 for version in record.versions]
        for dataset in Dataset.objects.filter(owner=owner, name=record.name, absent=record.absent):
            kept = sorted(dataset.versions.all(), key=lambda version: version.number)
            if [version.sha256 for version in kept] == hashes:
                break
        else:
            kept = self._kept(record, owner)
            self.outcome.datasets += 1
        for said, version in zip(record.versions, kept, strict=True):
            self._versions[VersionRef(dataset=record.key, number=said.number)] = version

    def _kept(self, record: DatasetRecord, owner: User) -> list[DatasetVersion]:
        with transaction.atomic():
            dataset = Dataset(owner=owner, name=record.name, created=record.created, absent=record.absent)
            cleaned(dataset)
            dataset.save()
            kept = []
            for said in record.versions:
                facts = {"sha256": said.sha256, "examples": said.examples, "size": said.size}
                version = DatasetVersion(dataset=dataset, number=said.number, created=said.created, **facts)
                cleaned(version)
                contents.hold(said.sha256)
                if not record.absent:
                    self._place(version)
                version.save()
                kept.append(version)
        return kept

    def _place(self, version: DatasetVersion) -> None:
        """Put the examples of ``version`` in their place, if they are a dataset, and the one that was meant."""
        limits = Limits(file_bytes=max(version.size, 1))
        try:
            with self._source.open(f"datasets/{version.sha256}.jsonl") as file:
                parsed = datasets.parse(cast(BinaryIO, file), "examples.jsonl", limits=limits)
        except (KeyError, DatasetError) as exc:
            raise ArchiveError("archive_damaged", name=f"datasets/{version.sha256}.jsonl") from exc
        if (parsed.sha256, parsed.count) != (version.sha256, version.examples):
            raise ArchiveError("archive_damaged", name=f"datasets/{version.sha256}.jsonl")
        version.facts = asdict(parsed.facts)
        parsed.write_jsonl(version.path)

    def _bring_model(self, record: ModelRecord) -> None:
        connection = _connection(record)
        if TunedModel.objects.filter(connection=connection, name=record.name).exists():
            self.outcome.there += 1
            return
        owner = self._who(record.owner)
        ref, refs = self._at_service(record, connection)
        with transaction.atomic():
            model = self._row(record, connection, owner, ref)
            for said, permission in zip(record.grants, refs, strict=True):
                model.grants.add(self._grant(said, permission), bulk=False)
            model.tags.set(_tags(record.tags))
            model.favourites.set([self._who(email) for email in record.favourites])
            for scores in record.evaluations:
                scored(model, scores, self._version(scores.version))
            tell_model(model.pk)
        self.outcome.models += 1

    def _row(self, record: ModelRecord, connection: Connection, owner: User, ref: JobRef) -> TunedModel:
        model = self._made(record, record.job, connection, owner, ref) if record.job else None
        model = model or TunedModel(connection=connection, name=record.name, owner=owner)
        for field in COPIED:
            setattr(model, field, getattr(record, field))
        model.dataset_version = self._version(record.version)
        cleaned(model)
        model.save()
        return model

    def _made(
        self, record: ModelRecord, made: JobRecord, connection: Connection, owner: User, ref: JobRef
    ) -> TunedModel:
        """The model that its job made."""
        job = unsaved_job(record, made, connection, owner, ref)
        job.dataset_version, job.validation_version = self._needed(made.version), self._version(made.validation_version)
        cleaned(job)
        job.save()
        job.tags.set(_tags(made.tags))
        return tell(job, record, made, self._curve(record))

    def _at_service(self, record: ModelRecord, connection: Connection) -> tuple[JobRef, list[str]]:
        """The model at its service, and the permissions there."""
        provider = connection.open_for(self._administrator)
        adapter = f"models/{record.key}/adapter.zip"
        if not (record.job and self._source.has(adapter)):
            raise NotFound("adapter_missing")
        if not isinstance(provider, Keeper):
            raise Unimplemented
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "adapter.zip"
            with self._source.open(adapter) as member, path.open("wb") as file:
                shutil.copyfileobj(member, file)
            counts, curve = self._counts(record.job), self._curve(record)
            ref = provider.keep(carried(record, record.job, counts=counts, curve=curve, adapter=path))
        return ref, [self._shared(provider, record.name, self._grant(grant)) for grant in record.grants]

    def _counts(self, record: JobRecord) -> tuple[int, int]:
        """Examples, and those held out."""
        job = Job(dataset_version=self._needed(record.version))
        job.validation_version, job.recipe = self._version(record.validation_version), recipe_of(record)
        return job.dataset_version.examples, job.held_out

    def _shared(self, provider: object, model: str, grant: Grant) -> str:
        """The permission's name at the service; empty where it keeps none."""
        if not isinstance(provider, Sharer):
            return ""
        grantee = Grantee.EVERYONE if grant.everyone else Grantee.PERSON
        grantee = Grantee.TEAM if grant.team or grant.is_group else grantee
        address = grant.team.address if grant.team else grant.person.email if grant.person else grant.address
        try:
            return provider.share(model, grantee, address, Role(grant.role)).ref
        except AlreadyExists:
            known = provider.permissions(model)
            return next((one.ref for one in known if (one.grantee, one.address) == (grantee, address)), "")

    def _grant(self, record: records.GrantRecord, ref: str = "") -> Grant:
        if record.role not in list(Role):
            raise ArchiveError("archive_strange", name=f"{LIBRARY}: role")
        person = self._who(record.email) if record.email else None
        team = self._teams.get(record.team)
        everyone = not (person or team or record.address)
        facts = {"address": record.address, "is_group": record.is_group, "role": record.role, "ref": ref}
        return Grant(person=person, team=team, everyone=everyone, **facts)

    def _tie(self) -> None:
        """Tell each model what it was tuned further from: that may have come after it."""
        for record in self._library.models:
            if record.tuned_from:
                models = TunedModel.objects.filter(connection=_connection(record))
                source = models.filter(name=record.tuned_from).exclude(name=record.name).first()
                made = models.filter(name=record.name, tuned_from=None, job__tuned_from=record.tuned_from)
                made.update(tuned_from=source)

    def _curve(self, record: ModelRecord) -> bytes:
        name = f"models/{record.key}/curve.bin"
        return self._source.read(name) if self._source.has(name) else b""

    def _who(self, email: str) -> User:
        return self._people.get(email) or _person(email)

    def _version(self, ref: VersionRef | None) -> DatasetVersion | None:
        return self._needed(ref) if ref else None

    def _needed(self, ref: VersionRef) -> DatasetVersion:
        try:
            return self._versions[ref]
        except KeyError:
            raise ArchiveError("archive_damaged", name=LIBRARY) from None


def _connection(record: ModelRecord) -> Connection:
    """The one of that name, else this machine's."""
    return Connection.objects.filter(name=record.connection).first() or Connection.objects.local()


def _person(email: str, name: str = "") -> User:
    """Whoever has this address; somebody new cannot sign in before they choose a password."""
    if found := User.objects.filter(email=email).first():
        return found
    person = User(email=email, name=name)
    person.set_unusable_password()
    cleaned(person)
    person.save()
    return person


def _tags(names: list[str]) -> list[Tag]:
    made = []
    for name in filter(folded, names):
        tag = Tag(key=folded(name), name=name)
        cleaned(tag)
        made.append(Tag.objects.get_or_create(key=tag.key, defaults={"name": tag.name})[0])
    return made
