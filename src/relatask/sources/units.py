"""Units of measured values, concentrations above all, and their p-values: pIC50, pKi and the like."""

import math

# Unit -> power of ten of one of it in mol/L.
MOLAR = {"M": 0, "mM": -3, "uM": -6, "nM": -9, "pM": -12, "fM": -15}
P_UNIT = "-log10(mol/L)"
# By which a column of units, or a unit in the name of a column, is known.
UNITS = frozenset({*MOLAR, "%", "ug/ml", "ug.mL-1", "mg/kg", "h", "min", "s"})
_LONG = {"mol/L": "M", "mmol/L": "mM", "umol/L": "uM", "nmol/L": "nM", "pmol/L": "pM"}


def plain_unit(text: str) -> str:
    """Return a unit with u for both signs of micro, and mol/L as `MOLAR` writes it."""
    plain = text.strip().replace("\N{MICRO SIGN}", "u").replace("\N{GREEK SMALL LETTER MU}", "u")
    return _LONG.get(plain.replace("/l", "/L"), plain)


def concentration_unit(text: str) -> str:
    """Return a unit as `MOLAR` writes it; both signs of micro and mol/L are understood.

    Raises:
        ValueError: it is no unit of a concentration in mol/L.
    """
    unit = plain_unit(text)
    if unit not in MOLAR:
        raise ValueError(f"{text!r} is no unit of a concentration; write one of {', '.join(MOLAR)}")
    return unit


def is_concentration(text: str) -> bool:
    """Whether a text is a unit of concentrations in mol/L."""
    try:
        return bool(concentration_unit(text))
    except ValueError:
        return False


def p_value_of(value: float, unit: str) -> float:
    """Return -log10 of a concentration above 0 in mol/L; powers of ten give whole numbers."""
    return -MOLAR[unit] - math.log10(value)
