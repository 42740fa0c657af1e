"""Grey dilation by doubling windows is the maximum over a square, as ``max_pool2d`` finds it."""

import pytest
import torch
from torch.nn import functional

from nightsharp.methods._blocks import dilate


@pytest.mark.parametrize("reach", [0, 1, 2, 3, 7, 8, 12, 51])
@pytest.mark.parametrize("shape", [(1, 3, 40, 57), (1, 1, 5, 3), (9, 4)])
def test_it_is_the_largest_value_of_the_square(reach, shape):
    image = torch.randn(shape, generator=torch.Generator().manual_seed(reach))
    framed = functional.pad(image, (reach,) * 4, value=-torch.inf)
    while framed.ndim < 4:
        framed = framed[None]
    expected = functional.max_pool2d(framed, 2 * reach + 1, 1)
    assert torch.equal(dilate(image, reach), expected.reshape(shape))
