"""NightWiener: a classical estimate, corrected by a network, together less than a million parameters."""

from nightsharp.methods.nightwiener.bank import views
from nightsharp.methods.nightwiener.network import NightWiener
from nightsharp.methods.nightwiener.prior import NightPrior
from nightsharp.methods.nightwiener.restore import nightwiener
from nightsharp.methods.nightwiener.scene import fineness

__all__ = ["NightPrior", "NightWiener", "fineness", "nightwiener", "views"]
