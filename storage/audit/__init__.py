"""The audit log: who changed what, from where and with which result.

    catalogue/audit/{year}/{month}/{day}/{last}-{first}-{random}.json    AuditBatch

Object storage cannot append, so each process writes objects of its own, each with the entries of about a second.
"""

from storage.audit.entry import AuditActor, AuditEntry, new_entry
from storage.audit.log import AuditLog
from storage.audit.reader import AuditPage

__all__ = ["AuditActor", "AuditEntry", "AuditLog", "AuditPage", "new_entry"]
