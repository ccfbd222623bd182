"""Measurements of a whole, running Headwater. No part of the product: nothing imports this."""
