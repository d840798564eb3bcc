"""CLIP's ViT-B/32 image encoder with random weights.

It computes what the real one computes, so it costs the same time and memory;
its vectors mean nothing. Architecture: Radford et al., 2021, and Dosovitskiy
et al., 2020: 32 x 32 patches, width 768, 12 layers, 12 heads, QuickGELU,
projection to 512.
"""
import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """Attention and a two-layer network, each added to what came in."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x):
        batch, tokens, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, tokens, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        attended = F.scaled_dot_product_attention(q, k, v)
        x = x + self.out(attended.transpose(1, 2).reshape(batch, tokens, width))
        hidden = self.up(self.norm2(x))
        return x + self.down(hidden * torch.sigmoid(1.702 * hidden))


class VisionModel(nn.Module):
    """pixel_values [N, 3, 224, 224] -> image_embeds [N, 512]."""

    def __init__(self, width=768, layers=12, heads=12, patch=32, dimensions=512):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch, bias=False)
        scale = width**-0.5
        self.class_token = nn.Parameter(scale * torch.randn(1, 1, width))
        self.positions = nn.Parameter(scale * torch.randn(1, (224 // patch) ** 2 + 1, width))
        self.norm_in = nn.LayerNorm(width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm_out = nn.LayerNorm(width)
        self.projection = nn.Parameter(scale * torch.randn(width, dimensions))

    def forward(self, pixel_values):
        x = self.patches(pixel_values).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        return self.norm_out(self.blocks(self.norm_in(x))[:, 0]) @ self.projection


def random_model() -> VisionModel:
    """The same random weights each time."""
    torch.manual_seed(7)
    return VisionModel().eval()
