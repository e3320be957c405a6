"""The produce and the farms that the market opens with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from examples.farmers_market.store import farms

if TYPE_CHECKING:
    import sqlite3

WINTER, SPRING, SUMMER, AUTUMN = "winter", "spring", "summer", "autumn"
ALWAYS = (WINTER, SPRING, SUMMER, AUTUMN)

# fmt: off
# name, category, unit, usual price in cents, drawing, its colour, seasons, description
CROPS = (
    ("Asparagus", "vegetables", "bunch", 690, "spear", "#7a9a4e", (SPRING,),
     "Green spears, cut at dawn. Steam them for six minutes and add butter."),
    ("Beetroot", "vegetables", "bunch", 260, "beet", "#8a2f4f", (SUMMER, AUTUMN, WINTER),
     "Sweet and earthy, with the leaves on: they cook like spinach."),
    ("Broad beans", "vegetables", "kg", 480, "pod", "#7fa65a", (SPRING, SUMMER),
     "Young pods, small enough to eat the beans without peeling them twice."),
    ("Brussels sprouts", "vegetables", "kg", 420, "cabbage", "#7d9b57", (WINTER,),
     "Sweeter since the first frost. Halve them and roast them dark."),
    ("Carrots", "vegetables", "bunch", 230, "carrot", "#d9772f", (SUMMER, AUTUMN, WINTER),
     "Pulled with their greens on, so that you can see how fresh they are."),
    ("Cauliflower", "vegetables", "piece", 340, "cabbage", "#d8cfae", (SPRING, AUTUMN),
     "White, tight heads with all their leaves."),
    ("Courgettes", "vegetables", "kg", 320, "marrow", "#5f8a45", (SUMMER,),
     "Picked at a hand's length, before they turn watery."),
    ("Cucumbers", "vegetables", "piece", 150, "marrow", "#6f9a58", (SUMMER,),
     "A ridged outdoor variety with a thin skin and few seeds."),
    ("Garlic", "vegetables", "bulb", 120, "bulb", "#cdbfb0", (SUMMER, AUTUMN),
     "Plaited and dried in the barn. Keeps until spring in a cool place."),
    ("Kale", "vegetables", "bunch", 280, "leaf", "#4d6f4c", (AUTUMN, WINTER),
     "Dark, curled leaves that stand in the field through the snow."),
    ("Leeks", "vegetables", "kg", 310, "spear", "#8fae74", (AUTUMN, WINTER, SPRING),
     "Long white shafts, earthed up by hand."),
    ("Mushrooms", "vegetables", "250 g", 350, "mushroom", "#b5957a", ALWAYS,
     "Brown caps from the old railway tunnel, picked to order."),
    ("New potatoes", "vegetables", "kg", 290, "potato", "#c9a566", (SPRING, SUMMER),
     "Waxy and thin-skinned: scrub them, do not peel them."),
    ("Onions", "vegetables", "kg", 180, "bulb", "#c08a4b", (SUMMER, AUTUMN, WINTER),
     "Sun-dried yellow onions that keep for months."),
    ("Parsnips", "vegetables", "kg", 320, "carrot", "#dcc893", (AUTUMN, WINTER),
     "Left in the ground until the cold turned their starch to sugar."),
    ("Peas", "vegetables", "kg", 590, "pod", "#76a04f", (SPRING, SUMMER),
     "In the pod, sweet enough to be eaten on the way home."),
    ("Pumpkin", "vegetables", "piece", 450, "pumpkin", "#d8822e", (AUTUMN,),
     "Orange Hokkaido of about a kilo. The skin can be eaten."),
    ("Radishes", "vegetables", "bunch", 160, "beet", "#c8446a", (SPRING, SUMMER),
     "Crisp and mild, on the table the day they are pulled."),
    ("Spinach", "vegetables", "250 g", 290, "leaf", "#4f8048", (SPRING, AUTUMN),
     "Young leaves, washed twice, ready for the pan or a salad."),
    ("Swiss chard", "vegetables", "bunch", 290, "leaf", "#a34a5a", (SUMMER, AUTUMN),
     "Stalks in red and yellow, leaves like a milder spinach."),
    ("Tomatoes", "vegetables", "kg", 490, "tomato", "#c9432f", (SUMMER,),
     "Five old varieties, ripened on the plant and never chilled."),
    ("Apples", "fruit", "kg", 290, "apple", "#b8402f", (AUTUMN, WINTER),
     "Cox and Boskoop from high trees; the bruised ones went into the cider."),
    ("Blackcurrants", "fruit", "250 g", 420, "berries", "#4b3557", (SUMMER,),
     "Tart and dark, for jam or a summer pudding."),
    ("Cherries", "fruit", "500 g", 550, "cherry", "#8f2337", (SUMMER,),
     "Black hearts, picked with their stalks."),
    ("Pears", "fruit", "kg", 350, "pear", "#b3a545", (AUTUMN, WINTER),
     "Hard when you buy them, soft and sweet three days later."),
    ("Plums", "fruit", "kg", 380, "plum", "#6a4179", (SUMMER, AUTUMN),
     "Small blue plums, good for cake and better from the hand."),
    ("Rhubarb", "fruit", "kg", 360, "spear", "#b94a58", (SPRING,),
     "Forced under pots for the first weeks, then field-grown."),
    ("Strawberries", "fruit", "500 g", 520, "strawberry", "#c93a3f", (SPRING, SUMMER),
     "Picked before nine in the morning. Please do not put them in a fridge."),
    ("Basil", "herbs", "pot", 250, "sprig", "#4f8c4c", (SUMMER,),
     "A bushy pot for a sunny windowsill."),
    ("Parsley", "herbs", "bunch", 140, "sprig", "#5b8f46", (SPRING, SUMMER, AUTUMN),
     "Flat-leaved, a generous bunch."),
    ("Rosemary", "herbs", "bunch", 160, "sprig", "#5f7d6a", ALWAYS,
     "Woody sprigs from a hedge as old as the farmhouse."),
    ("Eggs", "dairy", "six", 330, "egg", "#c98f5f", ALWAYS,
     "From hens that walk about under the apple trees."),
    ("Goat's cheese", "dairy", "150 g", 540, "cheese", "#e0c98a", (SPRING, SUMMER, AUTUMN),
     "Fresh and mild in spring, firmer as the year goes on."),
    ("Cider", "pantry", "750 ml", 620, "jar", "#c98a2d", ALWAYS,
     "Dry and still, pressed in October and bottled in May."),
    ("Honey", "pantry", "500 g", 850, "jar", "#d19a2e", ALWAYS,
     "From hives between the lime trees and the clover. Sets in winter."),
    ("Sourdough loaf", "pantry", "loaf", 580, "loaf", "#b98149", ALWAYS,
     "Rye and wheat from the next valley, a day to rise, an hour in the oven."),
)

# name, place, story, crops with prices in cents (None: the usual price)
FARMS: tuple[tuple[str, str, str, dict[str, int | None]], ...] = (
    ("Hollow Oak Farm", "Lower Meadow",
     ("Four generations on heavy clay. We grow what the soil is good at, roots and brassicas, "
     "and leave a third of the land to the hedges."),
     {"Carrots": None, "Beetroot": None, "Parsnips": None, "Brussels sprouts": None,
      "Kale": None, "Leeks": None, "Onions": None, "New potatoes": None}),
    ("Sunny Bank Gardens", "Sunny Bank",
     ("Two sisters, six glasshouses and a lot of string. Everything is picked on the morning of "
     "the market."),
     {"Tomatoes": None, "Cucumbers": None, "Courgettes": None, "Basil": None, "Parsley": None,
      "Spinach": None, "Radishes": None, "Peas": None}),
    ("Old Mill Orchard", "Mill Lane",
     ("A hundred and forty standard trees, some of them older than the railway. Sheep do the "
     "mowing."),
     {"Apples": None, "Pears": None, "Plums": None, "Cherries": None, "Cider": None}),
    ("Briar Patch", "Upper Heath",
     "Soft fruit, asparagus and rhubarb on sandy soil, and hens that clean up after us.",
     {"Strawberries": None, "Blackcurrants": None, "Rhubarb": None, "Asparagus": None,
      "Eggs": None, "Broad beans": None, "Pumpkin": None}),
    ("Whitethorn Dairy", "Whitethorn Hill",
     "Thirty goats with names, a cellar full of cheese, and bees on the lime trees.",
     {"Goat's cheese": None, "Eggs": 350, "Honey": None, "Rosemary": None,
      "Swiss chard": None}),
    ("The Bakehouse", "Market Square",
     ("A wood-fired oven, three sorts of flour and no hurry. We also sell what grows in the "
     "garden behind the oven."),
     {"Sourdough loaf": None, "Honey": 820, "Garlic": None, "Mushrooms": None,
      "Cauliflower": None, "Apples": 270, "Carrots": 250}),
)
# fmt: on


def plant(connection: sqlite3.Connection) -> None:
    """Fill an empty market; one that has farms is left as it is."""
    if farms.count(connection):
        return
    for crop in CROPS:
        _insert_crop(connection, *crop)
    for name, place, story, prices in FARMS:
        farms.create(connection, owner_id=None, name=name, place=place, story=story, prices=prices)


def _insert_crop(
    connection: sqlite3.Connection,
    name: str,
    category: str,
    unit: str,
    usual_price_cents: int,
    motif: str,
    tint: str,
    seasons: tuple[str, ...],
    description: str,
) -> None:
    crop = {
        "name": name,
        "slug": farms.slug_of(name),
        "category": category,
        "unit": unit,
        "usual_price_cents": usual_price_cents,
        "motif": motif,
        "tint": tint,
        "description": description,
    }
    crop_id = connection.execute(farms.SQL["insert_crop"], crop).lastrowid
    rows = [{"crop_id": crop_id, "season": season} for season in seasons]
    connection.executemany(farms.SQL["insert_crop_season"], rows)
