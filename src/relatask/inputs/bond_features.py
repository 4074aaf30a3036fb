"""What the features of atoms and bonds stand for in chemprop, in its order: "V2" of atoms, and of bonds."""

# Behind the bits of each list of values of an atom is one for all other values.
ELEMENTS = (*range(1, 37), 53)
DEGREES = tuple(range(6))  # hydrogens included
CHARGES = (-1, -2, 1, 2, 0)
CHIRALITIES = tuple(range(4))
HYDROGENS = tuple(range(5))
HYBRIDIZATIONS = ("S", "SP", "SP2", "SP2D", "SP3", "SP3D", "SP3D2")
SIZES = tuple(
    len(known) + 1 for known in (ELEMENTS, DEGREES, CHARGES, CHIRALITIES, HYDROGENS, HYBRIDIZATIONS)
)
BOND_TYPES = ("SINGLE", "DOUBLE", "TRIPLE", "AROMATIC")  # of others no bit is set
STEREOS = 6  # known ones; behind them a bit for all others
MASS_SCALE = 0.01
