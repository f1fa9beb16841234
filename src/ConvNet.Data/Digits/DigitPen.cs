namespace ConvNet.Data.Digits;

/// <summary>Writes one digit: bends its strokes as a hand would, draws them with a round pen, smudges the result.</summary>
/// <remarks>
/// Only +, −, ×, ÷, square roots and comparisons on floats, all exactly rounded; the sine is a polynomial. Used by one thread at a time.
/// </remarks>
internal sealed class DigitPen
{
    private const int Side = DigitSet.Side;
    private const int PiecesPerSpan = 5;
    private const int Grid = 4;
    private const float Box = 20;                                   // pixels that a digit of size 1 takes

    private readonly float[] _ink = new float[Side * Side];
    private readonly float[] _smudged = new float[Side * Side];
    private readonly float[] _bendX = new float[Grid * Grid];
    private readonly float[] _bendY = new float[Grid * Grid];
    private float _xx, _xy, _yx, _yy, _left, _top;

    /// <summary>Writes a digit in one of its ways.</summary>
    public void Write(float[][][] ways, ref DigitRandom random, Span<byte> pixels)
    {
        Array.Clear(_ink);
        float[][] strokes = ways[random.Below(ways.Length)];
        ChooseHand(ref random);
        float radius = random.Between(0.75f, 1.7f), slip = random.Between(0.006f, 0.028f);
        foreach (float[] stroke in strokes)
            Stroke(stroke, radius * random.Between(0.88f, 1.12f), slip, ref random);
        if (random.Below(8) == 0)
            Blot(radius, ref random);
        Develop(ref random, pixels);
    }

    /// <summary>Slant, size, place and unsteadiness of this writing.</summary>
    private void ChooseHand(ref DigitRandom random)
    {
        float turn = random.Around(0.42f), slant = random.Around(0.45f);
        float wide = random.Between(0.72f, 1.12f), tall = random.Between(0.80f, 1.10f);
        float cosine = Sine(turn + 1.5707964f), sine = Sine(turn);
        (_xx, _xy) = (wide * cosine, tall * ((slant * cosine) - sine));
        (_yx, _yy) = (wide * sine, tall * ((slant * sine) + cosine));
        (_left, _top) = (random.Around(3.2f), random.Around(3.2f));
        float bend = random.Between(0.02f, 0.085f);
        for (int i = 0; i < _bendX.Length; i++)
            (_bendX[i], _bendY[i]) = (random.Around(2 * bend), random.Around(2 * bend));
    }

    /// <summary>From the unit square to pixels: bent by a smooth random field, then turned, slanted, scaled and moved.</summary>
    private (float X, float Y) Place(float x, float y)
    {
        (float bentX, float bentY) = (x + Field(_bendX, x, y) - 0.5f, y + Field(_bendY, x, y) - 0.5f);
        return (((Side - 1) / 2f) + _left + (Box * ((_xx * bentX) + (_xy * bentY))), ((Side - 1) / 2f) + _top + (Box * ((_yx * bentX) + (_yy * bentY))));
    }

    /// <summary>A random grid made smooth between its points.</summary>
    private static float Field(float[] grid, float x, float y)
    {
        float gx = Math.Clamp(x, 0, 0.999f) * (Grid - 1), gy = Math.Clamp(y, 0, 0.999f) * (Grid - 1);
        int column = (int)gx, row = (int)gy;
        float u = Smooth(gx - column), v = Smooth(gy - row);
        int at = (row * Grid) + column;
        float above = grid[at] + (u * (grid[at + 1] - grid[at])), below = grid[at + Grid] + (u * (grid[at + Grid + 1] - grid[at + Grid]));
        return above + (v * (below - above));
    }

    private static float Smooth(float t) => t * t * (3 - (2 * t));

    /// <summary>sin x for |x| up to 2: a Taylor series, error under 1e−6.</summary>
    private static float Sine(float x)
    {
        float square = x * x;
        return x * (1 - (square / 6 * (1 - (square / 20 * (1 - (square / 42 * (1 - (square / 72 * (1 - (square / 110))))))))));
    }

    /// <summary>Draws a stroke: a Catmull–Rom curve through its points, each slightly missed.</summary>
    private void Stroke(float[] points, float radius, float slip, ref DigitRandom random)
    {
        int count = points.Length / 2;
        Span<float> p = stackalloc float[points.Length];
        for (int i = 0; i < p.Length; i++)
            p[i] = points[i] + random.Around(2 * slip);
        (float X, float Y) from = Place(p[0], p[1]);
        for (int span = 0; span < count - 1; span++)
        {
            int a = Math.Max(0, span - 1), b = span, c = span + 1, d = Math.Min(count - 1, span + 2);
            for (int piece = 1; piece <= PiecesPerSpan; piece++)
            {
                float t = piece / (float)PiecesPerSpan;
                (float X, float Y) to = Place(Curve(p[2 * a], p[2 * b], p[2 * c], p[2 * d], t), Curve(p[(2 * a) + 1], p[(2 * b) + 1], p[(2 * c) + 1], p[(2 * d) + 1], t));
                Line(from, to, radius);
                from = to;
            }
        }
    }

    private static float Curve(float a, float b, float c, float d, float t) =>
        b + (0.5f * t * (c - a + (t * ((2 * a) - (5 * b) + (4 * c) - d + (t * ((3 * (b - c)) + d - a))))));

    /// <summary>Inks every pixel within the pen's radius of a line, with a soft edge one pixel wide.</summary>
    private void Line((float X, float Y) from, (float X, float Y) to, float radius)
    {
        float reach = radius + 0.5f, dx = to.X - from.X, dy = to.Y - from.Y, length = (dx * dx) + (dy * dy);
        int left = Math.Max(0, (int)(Math.Min(from.X, to.X) - reach)), right = Math.Min(Side - 1, (int)(Math.Max(from.X, to.X) + reach) + 1);
        int top = Math.Max(0, (int)(Math.Min(from.Y, to.Y) - reach)), bottom = Math.Min(Side - 1, (int)(Math.Max(from.Y, to.Y) + reach) + 1);
        for (int y = top; y <= bottom; y++)
        {
            for (int x = left; x <= right; x++)
            {
                float px = x - from.X, py = y - from.Y;
                float along = length > 0 ? Math.Clamp(((px * dx) + (py * dy)) / length, 0, 1) : 0;
                float ox = px - (along * dx), oy = py - (along * dy), square = (ox * ox) + (oy * oy);
                if (square >= reach * reach)
                    continue;
                float ink = Math.Min(1, reach - MathF.Sqrt(square));
                if (ink > _ink[(y * Side) + x])
                    _ink[(y * Side) + x] = ink;
            }
        }
    }

    /// <summary>A slip of the pen somewhere beside the digit.</summary>
    private void Blot(float radius, ref DigitRandom random)
    {
        float x = random.Between(2, Side - 3), y = random.Below(2) == 0 ? random.Between(0, 4) : random.Between(Side - 5, Side - 1);
        Line((x, y), (x + random.Around(4), y + random.Around(2)), radius * 0.7f);
    }

    /// <summary>Blur, contrast, grain.</summary>
    private void Develop(ref DigitRandom random, Span<byte> pixels)
    {
        float blur = random.Between(0, 0.9f), contrast = random.Between(170, 255), grain = random.Below(3) == 0 ? random.Between(10, 60) : random.Between(0, 12);
        Smudge(blur);
        for (int i = 0; i < pixels.Length; i++)
        {
            float noisy = (_smudged[i] * contrast) + random.Around(grain);
            pixels[i] = (byte)Math.Clamp(noisy + 0.5f, 0, 255);
        }
    }

    /// <summary>Each pixel moves towards the mean of its neighbourhood, weighed 1 2 1 each way.</summary>
    private void Smudge(float share)
    {
        for (int y = 0; y < Side; y++)
        {
            int up = Math.Max(0, y - 1) * Side, here = y * Side, down = Math.Min(Side - 1, y + 1) * Side;
            for (int x = 0; x < Side; x++)
            {
                int l = Math.Max(0, x - 1), r = Math.Min(Side - 1, x + 1);
                float mean = (_ink[up + l] + _ink[up + r] + _ink[down + l] + _ink[down + r]
                    + (2 * (_ink[up + x] + _ink[down + x] + _ink[here + l] + _ink[here + r])) + (4 * _ink[here + x])) / 16;
                _smudged[here + x] = _ink[here + x] + (share * (mean - _ink[here + x]));
            }
        }
    }
}
