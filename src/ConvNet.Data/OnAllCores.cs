using System.Runtime.ExceptionServices;

namespace ConvNet.Data;

/// <summary>Goes through the images of a data set on all cores. What fails is told as if they had been gone through in order.</summary>
public static class OnAllCores
{
    /// <summary>Calls <paramref name="each"/> for 0 … <paramref name="count"/> − 1; of several that fail, the exception of the first one comes out.</summary>
    /// <param name="count">How many.</param>
    /// <param name="begin">What a thread has of its own.</param>
    /// <param name="each">The work; an exception of it ends all.</param>
    /// <param name="end">Called with what a thread had, one at a time.</param>
    public static void Run<T>(int count, Func<T> begin, Action<int, T> each, Action<T>? end = null)
    {
        Lock gate = new();
        (int Index, Exception Error)? first = null;
        Parallel.For(0, count, begin, (i, loop, own) =>
        {
            // Break: those before it are still done, so that one of them may be the first to fail.
            try
            {
                each(i, own);
            }
            catch (Exception failed)
            {
                lock (gate)
                {
                    if (first is not { } earlier || i < earlier.Index)
                        first = (i, failed);
                }

                loop.Break();
            }

            return own;
        }, own =>
        {
            lock (gate)
                end?.Invoke(own);
        });
        if (first is { } failure)
            ExceptionDispatchInfo.Capture(failure.Error).Throw();
    }
}
