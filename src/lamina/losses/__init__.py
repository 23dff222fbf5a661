"""Losses that torch lacks, or that two outputs share."""

from lamina.losses.loss import Loss, LossFunction

__all__ = ["Loss", "LossFunction"]
