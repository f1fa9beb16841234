// Each of these tests starts an actor system and threads of its own, on machines with few cores: one at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
