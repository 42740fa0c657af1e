from .methods import list_methods as list_methods
from .optics import Psf as Psf
from .photo import Photo as Photo
from .photo import read_photo as read_photo
from .restore import Restoration as Restoration
from .restore import deblur as deblur
from .restore import estimate_psf as estimate_psf

__version__: str
