// Each test starts processes that use all cores: one at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
