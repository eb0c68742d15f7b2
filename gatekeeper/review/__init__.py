"""What was held gets reviewed: a durable queue, clinicians' verdicts, and what applications get of them."""
