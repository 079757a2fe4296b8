"""Everything that the fault plan can do to a call, by name."""

from handlers.clouds.memory.faults import (
    Call,
    Delay,
    Effect,
    Late,
    Lose,
    Outcome,
    Refuse,
    Reset,
    Spoil,
)
from handlers.resources import Service
from tests.chaos.scenario import SECRET

#: Echoes user data, as Nova's schema errors do.
_ECHO = f"Invalid input for field/attribute user_data. Value: {SECRET}. is too long"

#: Within what the policy of the suite allows for: calls end after 10 s, those to Heat after 20 s,
#: and land by then.
FAULTS: dict[str, Effect] = {
    "refuse-400": Refuse(status=400, message=_ECHO, code="badRequest"),
    "refuse-401": Refuse(status=401, message="The request you have made requires authentication."),
    "refuse-403": Refuse(status=403, message="Policy does not allow this to be performed."),
    "refuse-404": Refuse(status=404, message="The resource could not be found."),
    "refuse-409": Refuse(status=409, message="Conflict: try again."),
    "refuse-413": Refuse(status=413, message="Request is too large."),
    "refuse-429": Refuse(status=429, message="Too many requests."),
    "refuse-500": Refuse(status=500, message="Unexpected API Error."),
    "refuse-503": Refuse(status=503, message="Service Unavailable."),
    "quota": Refuse(quota=True),
    "reset": Reset(),
    "lose": Lose(),
    "lose-502": Lose(status=502),
    "late": Late(seconds=8),
    "late-504": Late(seconds=4, status=504),
    "very-late": Late(seconds=18),
    "delay": Delay(seconds=8),
    "error": Spoil(Outcome.ERROR),
    "stuck": Spoil(Outcome.STUCK),
    "no-host": Spoil(Outcome.NO_HOST),
    "flap": Spoil(Outcome.FLAP),
}

_NAMES = {effect: name for name, effect in FAULTS.items()}

#: What look-ups begin with, in the fault plan's rules.
LOOKS = ("get_", "find_", "changed_")

#: What happens at once cannot come out differently afterwards.
_LATER = ("create_server", "create_volume", "delete_server", "delete_volume")
_VERBS_WITH_AN_OUTCOME = (
    *_LATER,
    "resize_server",
    "confirm_resize",
    "revert_resize",
    "extend_volume",
    "create_stack",
    "update_stack",
    "delete_stack",
)


def name_of(effect: Effect) -> str:
    """Its name here; the kind alone for one with other numbers."""
    return _NAMES.get(effect, type(effect).__name__.lower())


def is_look(verb: str) -> bool:
    return not Call(Service.COMPUTE, verb).mutates


def unheard(verb: str) -> tuple[str, str]:
    """Answers that are lost while the call lands: a good while later, or at once."""
    return ("very-late" if _is_heats(verb) else "late", "lose")


def faults_for(verb: str, *, by_heat: bool = False) -> list[str]:
    """The names of the faults that can strike a call.

    Where Heat's engine makes it, no call lands later than Heat says so, and Nova does not say of a
    server that lives that it is not there: nobody could know better.
    """
    if by_heat:
        lies = ("refuse-404",) if verb.startswith("delete_") else ()
        return [
            name
            for name in faults_for(verb)
            if name not in lies and not isinstance(FAULTS[name], Late)
        ]
    names = [name for name in FAULTS if name != ("late" if _is_heats(verb) else "very-late")]
    if is_look(verb):
        return [name for name in names if not isinstance(FAULTS[name], Late | Lose | Spoil)]
    if verb in _VERBS_WITH_AN_OUTCOME:
        return names
    return [name for name in names if not isinstance(FAULTS[name], Spoil)]


def _is_heats(verb: str) -> bool:
    return "stack" in verb
