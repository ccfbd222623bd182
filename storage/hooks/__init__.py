"""Webhooks in the store: the hooks, the deliveries that wait or failed for good, and a log of each hook's attempts.

catalogue/hooks/hooks.json                     HookList
catalogue/hooks/pending/{hook}/{delivery}.json Delivery
catalogue/hooks/dead/{hook}/{delivery}.json    Delivery
catalogue/hooks/log/{hook}.json                LogRecord
"""
