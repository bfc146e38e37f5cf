"""Stories of people who cause harm, and of those who must not be taken for them."""

from __future__ import annotations

from engine.invent.residents import CHILD, OTHER
from engine.invent.scenes import Scene, Stage

H, V = "harm", "vulnerability"


def _trouble(scene: Scene, subject: int, callers: list[int], *, code: str = "P02") -> None:
    """Corroborated reports against one person, a fortnight and more apart."""
    for place, caller in enumerate(callers):
        scene.report(caller, subject, ago=150 - 27 * place, code=code, evidence=2 + place % 2)


def two_households(stage: Stage) -> None:
    """I-05."""
    scene = stage.open_scene(
        "Three doors complain", "Three neighbours made four corroborated reports about one man.")
    subject, one, two, three = (scene.person(age) for age in (32, 45, 60, 38))
    _trouble(scene, subject, [one, two, three, one])
    scene.expect("subject", subject, "flagged", "I-05", H)


def one_short(stage: Stage) -> None:
    """I-05 at one below the threshold."""
    scene = stage.open_scene(
        "Two is not three", "Two neighbours made one corroborated report each.")
    subject, one, two = (scene.person(age) for age in (30, 41, 63))
    _trouble(scene, subject, [one, two])
    scene.expect("subject", subject, "not_flagged", "I-05", H)


def support_first(stage: Stage) -> None:
    """I-06."""
    scene = stage.open_scene(
        "Help before the notice", "The man reported by three doors drinks, and has no support.")
    subject, one, two, three = (scene.person(age) for age in (43, 36, 52, 68))
    scene.need(subject, "ALC", "MH")
    _trouble(scene, subject, [one, two, three, two], code="N01")
    scene.expect("subject", subject, "flagged", "I-06", "process")
    scene.expect("subject", subject, "flagged", "I-05", H)


def sibling(stage: Stage) -> None:
    """A relative's record is nobody else's."""
    scene = stage.open_scene(
        "His brother's keeper", "The brother at the same address has no reports of his own.")
    subject, one, two, three = (scene.person(age) for age in (24, 47, 39, 58))
    scene.tenant(subject)
    brother = scene.person(22, home=scene.known(subject, "home"), place=OTHER,
                           household=scene.known(subject, "household"),
                           surname=scene.known(subject, "surname"))
    scene.member(brother, "other")
    _trouble(scene, subject, [one, two, three, one])
    scene.expect("offender", subject, "flagged", "I-05", H)
    scene.expect("brother", brother, "not_flagged", "any", H)


def victim_only(stage: Stage) -> None:
    """X-08."""
    scene = stage.open_scene(
        "Only ever on the receiving end", "Five reports as a victim, none as anything else.")
    victim, neighbour = scene.person(50), scene.person(33)
    for ago in (160, 128, 96, 64, 32):
        scene.report(victim, neighbour, ago=ago, code="P01", evidence=3)
    scene.expect("victim", victim, "flagged", "I-01", V)
    scene.expect("victim", victim, "not_flagged", "any", H)


def witness(stage: Stage) -> None:
    """X-08 for witnesses."""
    scene = stage.open_scene(
        "She saw it all", "A neighbour gave four witness statements about other people's fights.")
    watcher, fighter = scene.person(57), scene.person(29)
    for ago in (140, 100, 60, 20):
        scene.police(ago, "R01", scene.known(fighter, "home"), [("witness", watcher)])
    scene.expect("witness", watcher, "not_flagged", "any", H, namespace="police")
    scene.expect("witness", watcher, "not_flagged", "I-01", V, namespace="police")


def malicious(stage: Stage) -> None:
    """X-06."""
    scene = stage.open_scene(
        "One man's campaign", "Four of the five reports about her come from one neighbour.")
    subject, hostile, other = (scene.person(age) for age in (36, 62, 45))
    _trouble(scene, subject, [hostile, hostile, hostile, hostile, other])
    scene.expect("subject", subject, "not_flagged", "I-05", H)


def young_child(stage: Stage) -> None:
    """X-03."""
    scene = stage.open_scene(
        "Eight years old", "Neighbours named a boy of eight in four corroborated reports.")
    mother, one, two = (scene.person(age) for age in (31, 48, 66))
    boy = scene.person(8, home=scene.known(mother, "home"), place=CHILD,
                       household=scene.known(mother, "household"))
    _trouble(scene, boy, [one, two, one, two], code="Y01")
    scene.expect("boy", boy, "not_flagged", "any", H)


def abuser(stage: Stage) -> None:
    """I-08."""
    scene = stage.open_scene(
        "Three women, one name", "Named in three domestic incidents with two partners this year.")
    suspect, one, two = (scene.person(age) for age in (38, 34, 29))
    for ago, victim in ((300, one), (150, two), (48, two)):
        scene.police(ago, "P04", scene.known(victim, "home"),
                     [("victim", victim), ("alleged_subject", suspect)], evidence=3, dash_score=8)
    scene.expect("suspect", suspect, "flagged", "I-08", H, namespace="police")


def untreated(stage: Stage) -> None:
    """I-10."""
    scene = stage.open_scene(
        "Using on the stairs", "Two corroborated drug reports, a known need and no treatment.")
    subject, one, two = (scene.person(age) for age in (34, 40, 71))
    scene.need(subject, "DRUG")
    _trouble(scene, subject, [one, two], code="D01")
    scene.expect("subject", subject, "flagged", "I-10", H)


def first_offence(stage: Stage) -> None:
    """I-16."""
    scene = stage.open_scene(
        "Bored and fifteen", "Two corroborated reports of a fifteen-year-old on the garages.")
    mother, one, two = (scene.person(age) for age in (41, 50, 63))
    youth = scene.person(15, home=scene.known(mother, "home"), place=CHILD,
                         household=scene.known(mother, "household"))
    _trouble(scene, youth, [one, two], code="Y01")
    scene.expect("youth", youth, "flagged", "I-16", H)


def fire_setter(stage: Stage) -> None:
    """I-23, which cannot be told while the fire feed is silent."""
    scene = stage.open_scene(
        "He set the bins alight", "Admitted a deliberate fire last year; fire records are late.")
    setter = scene.person(27)
    home = scene.known(setter, "home")
    minute = scene.ago(330) * 1440 + 1300
    scene.put("fire_incidents", setter, occurred=minute, reported=minute + 6,
              recorded=scene.ago(329), kind="deliberate", role="subject", evidence=4,
              **scene.where(home))
    scene.expect("setter", setter, "cannot_tell", "I-23", H, namespace="fire")


def anonymous(stage: Stage) -> None:
    """X-05: at the block the anonymous call is the fourth; about the man it is nothing."""
    scene = stage.open_scene(
        "A voice on the line", "One anonymous call names a man; three others name only the block.")
    scene.move(flats=True)
    named, one, two, three = (scene.person(age) for age in (37, 44, 59, 33))
    spot = scene.known(named, "home")
    scene.report(None, named, ago=8, code="N01", evidence=0, at=spot)
    for ago, caller in ((22, one), (41, two), (63, three)):
        scene.report(caller, ago=ago, code="N01", at=spot)
    scene.expect("named", named, "not_flagged", "any", H)
    scene.expect_block("flagged", "L-11")


HARM = (two_households, one_short, support_first, sibling, victim_only, witness, malicious,
        young_child, abuser, untreated, first_offence, fire_setter, anonymous)
