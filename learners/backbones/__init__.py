"""Backbones: frozen pretrained encoders, their architectures and weights."""
