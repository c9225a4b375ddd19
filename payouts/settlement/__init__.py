"""What banks and providers report about payouts: reading their files and applying what they say.

One parser per format, pure functions from bytes to `outcome.Outcome`; `reading` picks one,
`planning` decides what applies, `applying` records it.
"""
