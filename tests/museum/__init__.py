"""The museum of bugs: each a small patch, applied to a copy of the package, that the simulation's checker must catch.

Two purposes. The checker is tested: a rule that no bug has ever broken may not be a rule at all. And the package is
told from its near misses: each patch says who really had the bug, or which trap of the IB API it is.

``patches/NN-name.patch`` is a unified diff over ``hydra_nb``. Its first line says what the bug is; a second one,
``Faults: a,b``, names the faults or deeds without which it would take hundreds of seeds to show. The package changes,
and the patches must follow: one that does not apply any more fails its test. To mend it, apply it to a copy by hand
(``patch -p1``), and write the difference of the copy and the package back.

``python -m tests.museum`` prints the whole table; ``python -m tests.museum NN ...`` the rows of these exhibits.
"""
