"""How good the networks are: public data, no setting but `--time 5m`, two cores, beside trees and a linear model."""
