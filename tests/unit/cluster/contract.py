"""The contract of every implementation of :class:`cluster.interface.Cluster`.

An implementation's test module derives a class from :class:`ClusterContract` and adds a fixture ``connect``, which
joins a node to the cluster of the test and closes it at the end.
"""

from tests.unit.cluster.contract_claims import ClaimContract
from tests.unit.cluster.contract_questions import QuestionContract


class ClusterContract(ClaimContract, QuestionContract):
    """Both parts of the contract, for one implementation."""
