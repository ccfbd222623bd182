"""What every implementation of :class:`cluster.interface.Cluster` has to do.

An implementation's test module derives a class from :class:`ClusterContract` and gives it a fixture ``connect``,
which joins a node to the cluster of this test and closes it at the end.
"""

from tests.unit.cluster.contract_claims import ClaimContract
from tests.unit.cluster.contract_questions import QuestionContract


class ClusterContract(ClaimContract, QuestionContract):
    """Both parts, for one implementation."""
