"""Word lists -> names for people and places that do not exist.

The weights fall off like real name frequencies, so that common names clash as often as real ones.
"""

from __future__ import annotations

import numpy as np

from engine.invent.arrays import Generator, Real, Words, words

_FORENAMES = """
Olivia Amelia Isla Ava Mia Lily Freya Grace Ella Sophie Evie Poppy Emily Charlotte Jessica Daisy
Alice Ruby Chloe Lucy Megan Hannah Lauren Bethany Rebecca Rachel Laura Sarah Emma Gemma Kelly
Claire Nicola Joanne Karen Susan Julie Deborah Tracey Sharon Linda Christine Margaret Patricia
Jean Dorothy Barbara Sheila Maureen Brenda Pauline Janet Carol Ann Elizabeth Mary Joan Kathleen
Irene Hazel Aisha Fatima Zainab Priya Anjali Mei Agnieszka Katarzyna Ioana Elena Marta Blessing
Grace-Ann Abigail Niamh Erin Holly Amber Paige Leah Zoe Natalie Stacey Donna Lisa Michelle Amanda
Oliver George Noah Arthur Harry Leo Muhammad Jack Charlie Oscar Jacob Henry Thomas Freddie Alfie
Theo William Archie Joshua Alexander James Isaac Edward Lucas Max Ethan Samuel Daniel Joseph
Benjamin Callum Connor Liam Ryan Jordan Kieran Ashley Nathan Aaron Adam Luke Matthew Christopher
Andrew Mark Paul Steven Stephen David John Michael Peter Robert Richard Anthony Kevin Gary Ian
Alan Brian Keith Derek Kenneth Ronald Raymond Dennis Roy Trevor Geoffrey Stanley Norman Ahmed
Imran Yusuf Raj Arjun Wei Piotr Tomasz Andrei Mihai Kwame Emeka Darren Wayne Lee Craig Shaun Dean
Carl Neil Simon Jason Stuart Martin Philip Graham Nigel Barry Clive Gordon Malcolm Terence
"""
_SURNAMES = """
Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker
White Roberts Green Hall Wood Jackson Clarke Clark Harrison Hill Turner Cooper Ward Moore Morris
Morgan Baker Allen King Lee Martin Parker Cook Bennett Shaw Griffiths Carter Bailey Richardson
Marshall Collins Bell Kelly Price Murphy Cox Simpson Richards Ellis Adams Wilkinson Foster Mitchell
Webb Rogers Gray Chapman Hunt Mason Powell Holmes Mills Barnes Palmer Knight Lloyd Matthews Butler
Russell Barker Stevens Fisher Jenkins Dixon Harvey Graham Murray Pearson Fletcher Howard Andrews
Gibson Elliott Reynolds Ford Fox Saunders Payne West Day Pearce Bird Lawson Brooks Atkinson Burton
Booth Dawson Rhodes Bradley Spencer Stone Hawkins Watts Dean Walsh Armstrong Hudson Lane Riley
Bishop Francis Oliver Parry Hodgson Cunningham Slater Poole Nicholson Ashton Unwin Bagshaw Heathcote
Frost Marples Wragg Cutts Swift Revill Limb Redfern Turton Hibberd Tagg Siddall Bunting Allsop
Gratton Khan Ahmed Hussain Patel Singh Begum Ali Kaur Shah Malik Iqbal Sharma Das Chowdhury Kowalski
Nowak Wisniewski Popescu Ionescu Dumitru Okafor Mensah Adeyemi Osei Chen Wong Nguyen Silva Santos
Costa Byrne Doyle Gallagher Quinn Brennan Doherty Sinclair Fraser Cameron Drummond Kerr Paterson
Tomlinson Kirkby Ollerenshaw Blackwell Holmewood Stubbs Hardwick Belfield Thorpe Barlow Crofts Eyre Furness
Goodwin Hallam Hancock Kirk Lilley Naylor Oldfield Pashley Renshaw Sellars Twigg Vickers Yates
Wardle Ashmore Beresford Calladine Dronfield Elliston Fearn Gilberthorpe Hinchliffe Inman Jepson
Keeton Longden Madin Needham Orwin Platts Quibell Rawson Staniforth Tindall Ullathorne Varley
Whitworth
"""
_STREET = """
Alder Ashlar Barley Bramble Brook Cairn Canal Cedar Chapel Cobble Colliers Compass Copper Corn
Cotton Cross Damson Drift Elder Fallow Fern Field Flint Forge Foundry Furnace Garden Glebe Gorse
Grange Hawthorn Hazel Heather Hollow Hopton Iron Ivy Juniper Kestrel Kiln Lapwing Larch Lime
Linnet Loom Maple Market Meadow Mill Moor Nettle Oak Orchard Osier Peak Pinfold Pit Plover Poplar
Potter Quarry Raven Rowan Saddle Saffron Sandy Shale Silver Sorrel Spinner Spring Station Stone
Swallow Sycamore Tannery Teasel Thistle Tinker Tower Valley Viaduct Walnut Weaver Well Wharf
Willow Windmill Wren Yarrow Yew
"""
_SECOND = ["", "", "", "bank", "croft", "dale", "gate", "ley", "side", "wood"]
_KINDS = ["Street", "Road", "Close", "Avenue", "Lane", "Drive", "Terrace", "Way", "Crescent",
          "Grove", "Place", "Walk"]

FORENAMES: Words = words(_FORENAMES.split())
SURNAMES: Words = words(_SURNAMES.split())
WOMEN = 98          # the first so many forenames
NICKNAMES = {"Robert": "Bob", "William": "Bill", "Richard": "Dick", "Christopher": "Chris",
             "Andrew": "Andy", "Michael": "Mick", "Kenneth": "Ken", "Anthony": "Tony",
             "Elizabeth": "Liz", "Margaret": "Peggy", "Patricia": "Pat", "Katarzyna": "Kasia",
             "Deborah": "Debbie", "Susan": "Sue", "Joseph": "Joe", "Samuel": "Sam",
             "Benjamin": "Ben", "Alexander": "Alex", "Thomas": "Tom", "Daniel": "Danny",
             "Stephen": "Steve", "Steven": "Steve", "Matthew": "Matt", "Joshua": "Josh",
             "Rebecca": "Becky", "Jessica": "Jess", "Charlotte": "Lottie", "Kathleen": "Kath",
             "Muhammad": "Mohammed", "Ronald": "Ron", "Raymond": "Ray", "Geoffrey": "Geoff"}


def name_weights(count: int) -> Real:
    """Cumulative weights, one per name, falling off as one over the rank plus a shoulder."""
    weight = 1.0 / (np.arange(count) + 12.0)
    return np.asarray(np.cumsum(weight / weight.sum()), dtype=np.float64)


def draw_street_names(rng: Generator, count: int) -> Words:
    """So many street names; they repeat across town, as real ones do."""
    first = words(_STREET.split())[rng.integers(0, len(_STREET.split()), count)]
    second = np.array(_SECOND, dtype=object)[rng.integers(0, len(_SECOND), count)]
    kind = words(_KINDS)[rng.integers(0, len(_KINDS), count)]
    return words([f"{a}{b} {c}" for a, b, c in zip(first, second, kind, strict=True)])
