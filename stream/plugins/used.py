"""Which plug-ins a run uses. The run writes them into its ledger and results, and later readers check for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from learners.specification.learner import Learner
from stream.plugins.defined import registry
from stream.plugins.file import Kind
from tasks.errors import InputError, InputErrors
from tasks.registry import Origin

Row = Mapping[str, str]  # an entry of `plugins` in results.json: name, kind, source, sha256


class MissingPlugin(InputErrors):
    """A run uses plug-ins that are not loaded, or that have other content now."""


@dataclass(frozen=True)
class Used:
    """One learner family, metric or source of a plug-in that a run uses."""

    name: str
    kind: Kind
    origin: Origin

    def as_dict(self) -> dict[str, str]:
        """The entry of `plugins` in results.json."""
        return {
            "name": self.name,
            "kind": self.kind,
            "source": self.origin.source,
            "sha256": self.origin.sha256,
        }


def used_plugins(learners: Iterable[Learner], source: str) -> tuple[Used, ...]:
    """The plug-ins that define the families of these learners, the source of this name, or a metric."""
    named: list[tuple[Kind, str]] = [
        ("learner", part) for learner in learners if learner.plugins for part in learner.family.split("+")
    ]
    named += [("metric", name) for name in registry("metric").known()]
    named.append(("source", source))
    origins = [(kind, name, registry(kind).origin(name)) for kind, name in dict.fromkeys(named)]
    return tuple(Used(name, kind, origin) for kind, name, origin in origins if origin is not None)


def check_present(rows: Iterable[Row], where: str, kinds: Sequence[Kind] = ("learner", "metric")) -> None:
    """Check that the plug-ins that a run used are loaded, with equal content.

    Args:
        rows: The entries of `plugins` in the run's results or ledger.
        where: The run, for messages.
        kinds: The kinds that must be loaded. Default: learners and metrics. A source is needed only to read data again.

    Raises:
        MissingPlugin: Which plug-ins are missing, and how to give them.
    """
    errors = []
    for row in rows:
        if row["kind"] not in kinds:
            continue
        origin = registry(row["kind"]).origin(row["name"])
        if origin is None or origin.sha256 != row["sha256"] or not _same_source(row["source"], origin):
            errors.append(_missing(row, origin, where))
    if errors:
        raise MissingPlugin(errors)


def _same_source(source: str, origin: Origin) -> bool:
    """Whether a plug-in comes from the same version of the same package; or from a file, whatever its name, as before.

    Keys name a package, but no file (`Origin.key`).
    """
    return origin.source == source if origin.entry else source.endswith(".py")


def _missing(row: Row, origin: Origin | None, where: str) -> InputError:
    name, source = row["name"], row["source"]
    if source.endswith(".py"):
        fix = f"add --plugin {source}, with the file that the run used"
    else:
        fix = f"install the package: pip install {source.replace(' ', '==')}"
    what = "is missing" if origin is None else "differs from the one that this run used"
    return InputError(
        f"the plug-in of {row['kind']} {name} {what}",
        where=where,
        expected=f"{source}, SHA-256 {row['sha256']}",
        found="" if origin is None else f"{origin.source}, SHA-256 {origin.sha256}",
        fix=fix,
    )
