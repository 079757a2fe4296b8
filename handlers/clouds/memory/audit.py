"""What tests and the demo want to know afterwards: who made what, and was access ever lost."""

from dataclasses import dataclass, field

from handlers.clouds.memory.things import GroupThing, Micros, RuleThing
from handlers.resources import Kind, PortRange


@dataclass(slots=True, kw_only=True, frozen=True)
class Made:
    """One thing that came to be: which call made it, when, and for whom."""

    at: Micros
    kind: Kind
    id: str
    verb: str
    subject: str | None
    role: str | None


@dataclass(slots=True, kw_only=True)
class Gap:
    """A time in which a group had no rule any more for a port range that had one before.

    `cidr` is empty when no CIDR at all could reach the ports; otherwise it names the one that was
    cut off. `until` stays None while the rule has not come back: nobody wants it, or it was lost.
    """

    group: str
    subject: str | None
    ports: PortRange
    cidr: str
    since: Micros
    until: Micros | None = None


@dataclass(slots=True)
class Audit:
    """The journal of a state. `launched` is when each server became ACTIVE first, by its id."""

    made: list[Made] = field(default_factory=list)
    launched: dict[str, Micros] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)

    def rule_removed(self, group: GroupThing, rule: RuleThing, at: Micros) -> None:
        """Open the gaps that the removal of `rule` tears."""
        left = group.rules.values()
        missing = [rule.cidr] if all(_pair(one) != _pair(rule) for one in left) else []
        if all(one.ports != rule.ports for one in left):
            missing.append("")
        for cidr in missing:
            self.gaps.append(
                Gap(group=group.id, subject=group.subject, ports=rule.ports, cidr=cidr, since=at)
            )

    def rule_added(self, group: GroupThing, rule: RuleThing, at: Micros) -> None:
        """Close the gaps that `rule` mends."""
        for gap in self.gaps:
            open_here = gap.until is None and gap.group == group.id and gap.ports == rule.ports
            if open_here and gap.cidr in ("", rule.cidr):
                gap.until = at

    def downtimes(self) -> tuple[Gap, ...]:
        """Gaps that were mended later: access that was wanted and was not there."""
        return tuple(gap for gap in self.gaps if gap.until is not None)


def _pair(rule: RuleThing) -> tuple[PortRange, str]:
    return rule.ports, rule.cidr
