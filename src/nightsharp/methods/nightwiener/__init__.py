"""NightWiener: a classical estimate, corrected by a network of less than a million parameters."""

from nightsharp.methods.nightwiener.bank import views
from nightsharp.methods.nightwiener.network import NightWiener
from nightsharp.methods.nightwiener.restore import nightwiener

__all__ = ["NightWiener", "nightwiener", "views"]
