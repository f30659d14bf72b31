//! Darcy flow on the unit square with a two-valued random coefficient: the data both networks learn.
