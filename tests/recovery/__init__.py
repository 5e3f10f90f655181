"""What a desk finds, and does, after its process, its connection or its disk has failed."""
