"""Words for fictional names. The surnames are made up, so no address belongs to a person.

Only plain lists belong here. Their lengths matter: company names use 64 × 64 words.
"""

FIRST_NAMES = (
    "Ada Amara Anton Astrid Bela Bruno Carla Chiara Dario Dina Edda Elif Emil Esther Farid Fenja "
    "Flora Gesa Goran Hana Hugo Ida Ilja Ines Jana Joel Kaito Karim Lena Leon Lucia Mai Malik "
    "Mara Milo Mina Nadia Nils Noor Olga Omar Petra Quinn Rana Remy Rosa Sana Taro"
).split()

SURNAMES = (
    "Samplewood Exampleton Fictova Mockridge Testerly Inventson Placebeck Dummond Specimeni "
    "Storyfield Imaginara Protohara Demoyama Fablewright Pretendre Lorempson Ipsumdale Madeupwell "
    "Nonesuchi Pseudonim Figmento Notreall Trialstone Mirajima Phantomek Noonbergen Nemosson "
    "Anonsky Unrealli Hypothen Modelkamp Draftmann"
).split()

ADJECTIVES = (
    "amber ample arctic autumn balmy bold brave brisk calm cedar civic clear cobalt copper coral "
    "cosmic crisp dapper deep eager early elder ember even fair fern fleet fresh gentle gilded "
    "glad golden grand hazel humble indigo ivory jade jolly keen kind lively lucid lunar maple "
    "mellow merry misty noble novel olive opal patient pearl polar prime quiet rapid rustic sable "
    "solar swift tidal vivid"
).split()

NOUNS = (
    "acorn anchor anvil arbor atlas badger barley basin beacon birch bridge brook canyon cliff "
    "clover comet compass cove crane creek delta dune falcon field finch fjord forge fox garden "
    "glade grove harbor heron hill hollow island kettle lagoon lantern ledger linden lodge loom "
    "marsh meadow mill moss orchard otter peak pine plover quarry quill reef ridge river sail "
    "sparrow spruce summit thistle valley willow"
).split()

PARTNER_STEMS = (
    "Northpeak Bluefinch Cedarline Rivermark Oldtown Sundial Kumogaki Parkstone Lumenfold "
    "Westwharf Gridhouse Tinplate Halvard Mapleford Juniperco Skylark Redoubt Ferngate Quayside "
    "Ostara Palisade Larkspur Windrose Emberly Thornfield Solstice Marlowe Copperleaf Ashgrove "
    "Brightwater Driftwood Everhart"
).split()

PARTNER_SUFFIXES = "Advisors Digital Media Consulting Studio Growth Systems Partners".split()
