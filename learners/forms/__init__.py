"""Functional forms: how a change Δh is computed from an input x (He et al. 2022, Table 1, first column).

One file per form; `form.py` has the protocol `Form` and what forms share. A form is plain data: it names the shapes of
its tensors, initialises them, computes Δh and counts its matrix products. `products.py` and `counting.py` are the parts
of the counts, with `counter.py` for forms that have no formula. `dropout.py` is the dropout of forms and encoders.
Import forms from this package, not from its files.
"""

from learners.forms.bottleneck import Bottleneck
from learners.forms.counting import change_products, gate_products
from learners.forms.form import ACTIVATIONS, Activation, Form, Gated, Reading, Shapes, covers, truncated_normal
from learners.forms.headwise import Headwise
from learners.forms.hypercomplex import Hypercomplex
from learners.forms.lowrank import LowRank
from learners.forms.prefix import Prefix, UngatedPrefix
from learners.forms.products import Products, Symbol, SymbolicReading, elementwise
from learners.forms.rescale import Rescale
from learners.forms.scaled import Scaled
from learners.forms.tokenshift import TokenShift

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Bottleneck",
    "Form",
    "Gated",
    "Headwise",
    "Hypercomplex",
    "LowRank",
    "Prefix",
    "Products",
    "Reading",
    "Rescale",
    "Scaled",
    "Shapes",
    "Symbol",
    "SymbolicReading",
    "TokenShift",
    "UngatedPrefix",
    "change_products",
    "covers",
    "elementwise",
    "gate_products",
    "truncated_normal",
]
