"""Requests to services of the operator, signed as Standard Webhooks defines it.

Webhooks: what happens on this server is sent to the targets that an operator has added.

bus, store watch ─▶ notices ─▶ dispatcher ─▶ target (one for each hook) ─▶ sender ─▶ HTTP
                                   └─▶ keeper ─▶ store

:mod:`control.hooks.on_publish` asks one service before a publisher is accepted.
"""
