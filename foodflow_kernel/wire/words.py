"""The 256 pairing words: short, plain, and hard to mistake for one another. Data; never reordered."""

from __future__ import annotations

WORDS: tuple[str, ...] = tuple(
    """
acorn alder almond amber anchor apron april arch arrow atlas attic autumn axle bagel baker bamboo
banjo barley basil basin basket beach bean beaver beech bell birch biscuit bison blanket boat bottle
bowl branch brass breeze brick bridge broom bucket butter button cabin cactus camel candle canoe
caper carbon cargo carpet carrot cedar celery cellar chalk chess chestnut chili cider circle citrus
clay clock clover coal cobalt cocoa comet copper coral cork cotton cream cricket crown crystal curry
daisy dawn delta desert dill dolphin domino donkey drum dune eagle earth echo elbow elm ember falcon
feather fennel fern ferry field fig finch flag flint flour flute forest fossil fountain fox frost
garden garlic gate ginger glacier goose granite grape grass guitar hammer harbor harvest heron hill
honey horizon hotel igloo indigo iris iron ivory ivy jacket jade jelly jigsaw juniper kayak kettle
kitchen kite kiwi ladder ladle lake lantern laurel leaf lemon lentil lever lime linen lion lobster
lunar magnet mango maple marble meadow melon mercury meteor mirror mitten moon moss mountain museum
mustard napkin needle nest nickel north nutmeg oasis oat ocean olive opal orange orbit orchard oven
owl oyster paddle panda papaya paper parrot parsley peach pearl pebble pecan piano pilot pine planet
pocket pony poppy prairie prism quartz quince rabbit radish raven reef ribbon rice robin rocket rope
rose saddle saffron sage salmon salt satin scarf sesame shell sparrow spinach spoon spruce stone
summer sun swan teapot thyme tiger timber tomato tulip tunnel turnip umber vanilla velvet violet
walnut willow window winter yarrow
""".split()
)
