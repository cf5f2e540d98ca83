#include "tone.h"

#include <math.h>

static double power(const int16_t *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i] * x[i];
    }
    return sum;
}

double tone_rms(const int16_t *x, size_t n)
{
    return n > 0 ? sqrt(power(x, n) / (double)n) : 0;
}

double tone_share(const int16_t *x, size_t n, unsigned rate, double hz)
{
    const double c = 2 * cos(2 * 3.14159265358979323846 * hz / rate);
    double a = 0, b = 0;
    for (size_t i = 0; i < n; i++) {
        const double next = x[i] + c * a - b;
        b = a;
        a = next;
    }
    const double all = power(x, n);
    /* a sine of amplitude A: |X|^2 = (A n / 2)^2, power A^2 n / 2 */
    return all > 0 ? (a * a + b * b - c * a * b) * 2 / (double)n / all : 0;
}
