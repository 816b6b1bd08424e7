"""The models of the pool: each says how a portfolio's value may move over the next sessions."""
