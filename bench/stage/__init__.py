"""What takes part in any benchmark: servers, peers, publishers, footage, the processes' cost, and the results."""
