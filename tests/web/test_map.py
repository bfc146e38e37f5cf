"""The map of a place: what may be drawn, what is never drawn, and the same facts without any map."""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date

import pytest
import uvicorn
from playwright.sync_api import sync_playwright

from api.web.place_map import (
    NO_FILES,
    NO_HOME,
    NO_RUN,
    ONE_ADDRESS,
    PlaceMap,
    Ward,
    find_map,
    read_addresses,
    read_maps,
    read_records,
    tell_facts,
    write_shapes,
)
from api.web.shapes import (
    COARSE,
    FINE,
    Square,
    count_records,
    enclose,
    find_corner,
    find_squares,
    letter,
    measure_extent,
    say_direction,
)
from engine.history import connect
from tests.web.conftest import FLAGS, Borough, Visitor
from tests.web.made import SCRIPT
from tests.web.test_browser import CHROMIUM, WIDE, find_violations, listen, say, sign_in

LEAST = 5
MONDAY, FRIDAY = date(2026, 11, 16), date(2026, 11, 20)
TERRACE = [(10.0 + n, 20.0) for n in range(6)]      # six homes in the square at 0, 0
COTTAGE = [(60.0, 20.0)]                            # one home in the square beside it


def test_a_point_is_known_by_the_square_it_lies_in() -> None:
    assert find_corner((438_649.9, 371_300.0), FINE) == (438_600, 371_300)
    assert find_squares([(10, 10), (20, 20), (60, 10)], FINE) == ((0, 0), (50, 0))


def test_an_outline_goes_around_squares_and_its_corners_are_nobodys_door() -> None:
    street = [(12.0, 7.0), (61.0, 33.0), (148.0, 96.0)]
    assert enclose(street, FINE) == ((0, 0), (100, 0), (150, 50), (150, 100), (100, 100), (0, 50))
    assert measure_extent(enclose(street, FINE)) == (150, 100)
    assert enclose([(12.0, 7.0)], COARSE) == ((0, 0), (100, 0), (100, 100), (0, 100))


def test_records_are_counted_in_fine_squares_where_enough_homes_stand_or_none() -> None:
    park = (210.0, 10.0)
    counted = count_records([((12, 20), MONDAY), ((15, 20), FRIDAY), (park, MONDAY)], TERRACE, LEAST)
    assert counted == (Square(0, 0, FINE, 2, FRIDAY), Square(200, 0, FINE, 1, MONDAY))


def test_beside_a_lonely_home_the_whole_coarse_square_is_counted_as_one() -> None:
    counted = count_records([((12, 20), MONDAY), ((60, 20), FRIDAY)], TERRACE + COTTAGE, LEAST)
    assert counted == (Square(0, 0, COARSE, 2, FRIDAY),)


def test_what_lies_among_too_few_homes_is_in_no_square() -> None:
    assert count_records([((60, 20), FRIDAY)], COTTAGE, LEAST) == ()
    assert count_records([((60, 20), FRIDAY)], COTTAGE * LEAST, LEAST) == (Square(50, 0, FINE, 1, FRIDAY),)


@pytest.mark.parametrize(("to", "said"), [
    ((0, 3), "at the middle"), ((0, 25), "about 30 m north of the middle"),
    ((-100, -100), "about 140 m south-west of the middle"), ((1_500, 0), "about 1,500 m east of the middle"),
])
def test_where_a_square_lies_is_said_in_words(to: tuple[int, int], said: str) -> None:
    assert say_direction((0, 0), to, 10) == said


def test_squares_are_lettered_past_the_alphabet() -> None:
    assert [letter(n) for n in (0, 25, 26, 27, 51, 52)] == ["A", "Z", "AA", "AB", "AZ", "BA"]


def make_map(addresses: int | None, ward: str = "Dallow") -> PlaceMap:
    square = ((1_000, 2_000), (1_100, 2_000), (1_100, 2_100), (1_000, 2_100))
    return PlaceMap("street", square, addresses, (Ward(ward, square, ((1_000, 2_000),)),),
                    (Square(1_050, 2_000, FINE, 3, FRIDAY),), 4)


@pytest.mark.parametrize(("addresses", "said"), [(4, "fewer than 5"), (5, "5"), (1_200, "1,200"), (None, None)])
def test_a_small_number_of_addresses_is_not_told(addresses: int | None, said: str | None) -> None:
    assert tell_facts(make_map(addresses), LEAST)["addresses"] == said


def test_the_table_tells_every_record_also_those_in_no_square() -> None:
    told = tell_facts(make_map(6), LEAST)
    assert (told["records"], told["rest"]) == (4, 1)
    assert told["squares"] == [{"letter": "A", "where": "about 40 m south-east of the middle", "west": 1_050,
                                "south": 2_000, "side": FINE, "records": 3, "last": FRIDAY}]


def test_shapes_are_metres_from_the_places_own_corner_and_cannot_end_a_script() -> None:
    written = write_shapes(make_map(6, SCRIPT))
    assert "<" not in written
    shapes = json.loads(written)
    assert shapes["wards"][0]["name"] == SCRIPT
    assert shapes["place"] == [[0, 0], [0, 100], [100, 100], [100, 0]]
    assert shapes["squares"] == [{"at": [0, 50], "side": FINE, "letter": "A", "records": 3}]


def open_place(visitor: Visitor) -> str:
    """The page of the first place whose records stand in squares."""
    pages = (visitor.get(path).text for path in visitor.flags("/places"))
    return next(text for text in pages if "South-west corner" in text)


def test_a_place_is_told_in_a_table_and_carries_its_own_shapes(borough: Borough) -> None:
    text = open_place(borough.visit("tasking_chair"))
    for said in ('href="#map">Where it is', "<th scope=\"row\" class=\"govuk-table__header\">Ward</th>", "No more than",
                 "Records by square", "A, ", " the middle</td>", "data-map hidden", "Skip the map",
                 "none is anybody's door"):
        assert said in text
    shapes = json.loads(re.findall(r'id="map-shapes">(.*?)</script>', text)[0])
    assert shapes["place"]
    assert shapes["wards"]


@pytest.mark.parametrize("path", ["/people", "/allocations"])
def test_people_and_offers_have_no_map_and_no_word_about_one(borough: Borough, path: str) -> None:
    visitor = borough.visit("tasking_chair")
    text = visitor.get(visitor.flags(path)[0]).text
    assert "Why" in text
    for word in ("Where it is", "No map", "map-shapes", "leaflet"):
        assert word not in text


def test_a_site_without_records_behind_it_says_that_there_is_no_map(visit: Callable[..., Visitor]) -> None:
    visitor = visit("tasking_chair")
    text = visitor.get(visitor.flags("/places")[0]).text
    assert NO_HOME in text
    assert "leaflet" not in text


def test_where_there_is_no_map_it_is_said_why(borough: Borough) -> None:
    run = borough.office.setting.runs.names()[-1]
    assert find_map(borough.office, run, "uprn:999900000001") == ONE_ADDRESS
    assert find_map(borough.office, "2020-01-06-00000000", "street:1") == NO_RUN
    shutil.rmtree(borough.home / "lake" / "addresses")
    assert find_map(borough.office, run, "street:1") == NO_FILES


def test_no_square_of_a_borough_holds_a_few_homes_and_no_corner_is_off_the_grid(borough: Borough) -> None:
    setting = borough.office.setting
    run = setting.runs.names()[-1]
    rows = read_addresses(setting.lake.tables(date.fromisoformat(run[:10]), connect())["addresses"])
    homes = rows[rows["home"]].drop_duplicates("uprn")
    points = list(zip(homes["easting"], homes["northing"], strict=True))
    found = read_maps(setting, run)
    squares = [(one.west, one.south, one.side) for subject, place in found.items() for one in place.squares
               if not subject.startswith("point:")]
    stand = {side: Counter(find_corner(point, side) for point in points) for side in (FINE, COARSE)}
    assert squares
    assert [one for one in squares if 0 < stand[one[2]][one[:2]] < LEAST] == []
    assert {value % FINE for place in found.values() for corner in place.outline for value in corner} == {0}
    assert all(place.placed <= place.records for place in found.values())


def test_domestic_abuse_is_in_no_square_and_a_tenancy_is_no_happening(borough: Borough) -> None:
    lake = borough.office.setting.lake
    tables = lake.tables(date(2026, 11, 23), connect())
    police = tables["police_incidents"]
    kept = police.filter(police.easting.notnull()).select("record", "domestic_abuse", "category").execute()
    domestic = kept["domestic_abuse"].fillna(False) | (kept["category"] == "P04")
    homes = tables["housing_tenancies"].select("record").limit(5).execute()
    wanted = {*kept["record"], *homes["record"]}
    happened = set(read_records(tables, wanted, read_addresses(tables["addresses"])).index)
    assert domestic.any()
    assert happened == set(kept["record"][~domestic])


@pytest.fixture
def served_borough(borough: Borough) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(borough.site, port=0, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_map_is_drawn_moves_by_keyboard_and_asks_nobody_else(served_borough: str) -> None:
    with sync_playwright() as playwright, playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(FLAGS)) as browser:
        page = browser.new_context(base_url=served_borough, viewport=WIDE, reduced_motion="reduce").new_page()
        heard = listen(served_borough)
        heard.hear(page)
        sign_in(page)
        page.goto("/places")
        pages = [one.get_attribute("href") or "" for one in page.locator(".ww-item a").all()]
        for path in pages:
            page.goto(path)
            if page.locator("path.ww-map__square").count():
                break
        assert page.locator("path.ww-map__place").count() == 1
        assert page.locator("path.ww-map__ward").count() >= 1
        assert re.fullmatch(r"\d+ k?m", page.locator(".leaflet-control-scale-line").inner_text())
        drawn = page.locator(".leaflet-map-pane")
        stood = drawn.get_attribute("style")
        page.locator("[data-map-box]").focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("was => document.querySelector('.leaflet-map-pane').getAttribute('style') !== was",
                               arg=stood)
        page.get_by_role("button", name="Show the whole ward").click()
        assert page.locator(".ww-map__name").first.is_visible()
        assert say(find_violations(page)) == []
        assert heard.said == []
