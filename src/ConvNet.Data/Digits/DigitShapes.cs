namespace ConvNet.Data.Digits;

/// <summary>How people write the ten digits: a few ways for each, as strokes through points.</summary>
/// <remarks>Points are (x, y) in a square from 0 to 1, y downwards. A stroke of two points is straight; a longer one is a smooth curve through its points.</remarks>
internal static class DigitShapes
{
    /// <summary>The ways of writing a digit; a way is a list of strokes, a stroke a list of points.</summary>
    public static float[][][] Of(int digit) => All[digit];

    private static readonly float[][][][] All =
    [
        [   // 0: round, narrow
            [[.50f, .08f, .74f, .20f, .80f, .50f, .74f, .80f, .50f, .92f, .26f, .80f, .20f, .50f, .26f, .20f, .50f, .08f]],
            [[.54f, .10f, .68f, .22f, .70f, .50f, .64f, .80f, .48f, .90f, .34f, .78f, .31f, .50f, .36f, .22f, .54f, .10f, .60f, .12f]],
        ],
        [   // 1: a line, with a flag, with flag and foot
            [[.50f, .08f, .50f, .92f]],
            [[.34f, .28f, .54f, .09f], [.54f, .09f, .54f, .92f]],
            [[.36f, .26f, .52f, .10f], [.52f, .10f, .52f, .90f], [.32f, .90f, .72f, .90f]],
        ],
        [   // 2: with a straight foot, with a loop
            [[.24f, .30f, .34f, .14f, .56f, .09f, .74f, .24f, .69f, .46f, .46f, .68f, .22f, .90f], [.22f, .90f, .79f, .89f]],
            [[.25f, .26f, .45f, .10f, .72f, .22f, .65f, .50f, .40f, .79f, .25f, .87f, .22f, .77f, .36f, .74f, .56f, .86f, .80f, .83f]],
        ],
        [   // 3: two bows, with a flat top
            [[.24f, .20f, .46f, .09f, .70f, .19f, .68f, .37f, .43f, .47f], [.43f, .47f, .71f, .55f, .76f, .74f, .54f, .91f, .30f, .88f, .20f, .76f]],
            [[.25f, .11f, .73f, .11f], [.73f, .11f, .45f, .42f], [.45f, .42f, .70f, .50f, .75f, .72f, .52f, .91f, .21f, .82f]],
        ],
        [   // 4: open, closed
            [[.31f, .11f, .21f, .56f], [.21f, .56f, .80f, .55f], [.66f, .22f, .61f, .93f]],
            [[.63f, .09f, .19f, .62f], [.19f, .62f, .83f, .61f], [.63f, .09f, .62f, .93f]],
        ],
        [   // 5: with a corner, in one sweep
            [[.75f, .11f, .32f, .12f], [.32f, .12f, .28f, .46f], [.28f, .46f, .50f, .38f, .74f, .50f, .74f, .74f, .50f, .91f, .21f, .82f]],
            [[.74f, .10f, .42f, .12f, .30f, .27f, .36f, .42f, .58f, .47f, .75f, .64f, .60f, .87f, .24f, .86f]],
        ],
        [   // 6: curved, straight back
            [[.70f, .11f, .43f, .24f, .25f, .55f, .28f, .81f, .50f, .92f, .72f, .80f, .70f, .60f, .50f, .51f, .29f, .63f]],
            [[.58f, .07f, .38f, .38f, .26f, .66f, .36f, .88f, .60f, .88f, .72f, .71f, .58f, .55f, .33f, .64f]],
        ],
        [   // 7: plain, with a bar, curved
            [[.21f, .12f, .79f, .12f], [.79f, .12f, .42f, .92f]],
            [[.22f, .13f, .78f, .13f], [.78f, .13f, .42f, .91f], [.37f, .51f, .74f, .50f]],
            [[.20f, .22f, .24f, .12f], [.24f, .12f, .79f, .13f], [.79f, .13f, .62f, .38f, .49f, .64f, .45f, .92f]],
        ],
        [   // 8: in one stroke, two rings
            [[.52f, .49f, .31f, .36f, .32f, .16f, .51f, .09f, .70f, .17f, .68f, .36f, .50f, .49f, .27f, .66f, .28f, .85f, .50f, .92f, .74f, .85f, .74f, .65f, .52f, .49f]],
            [[.50f, .10f, .67f, .18f, .67f, .38f, .50f, .46f, .33f, .38f, .33f, .18f, .50f, .10f], [.50f, .46f, .73f, .57f, .73f, .82f, .50f, .92f, .27f, .82f, .27f, .57f, .50f, .46f]],
        ],
        [   // 9: straight tail, curved tail
            [[.71f, .30f, .55f, .49f, .33f, .45f, .28f, .25f, .46f, .09f, .67f, .15f, .71f, .30f], [.71f, .26f, .65f, .93f]],
            [[.71f, .30f, .55f, .48f, .33f, .43f, .29f, .22f, .49f, .09f, .70f, .19f, .74f, .46f, .66f, .78f, .46f, .92f, .26f, .84f]],
        ],
    ];
}
