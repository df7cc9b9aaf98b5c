"""How far annotators agree: coefficients with intervals, the people, and the automatic judge.

`gather` reads, `panel` lays out, `coefficients` and `bootstrap` compute, `people` and `judge` look
at who answered and at the discriminator, `measure` puts it together; `show` and `page` print it.
"""
