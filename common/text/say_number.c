/* Vietnamese numerals. Groups of three from the left; a group below the first is always said in full ("không trăm
 * linh năm"), so that a listener cannot mistake 1.005 for 1.500. */
#include <inttypes.h>

#include "text/say_vi.h"
#include "text/say_words.h"

static const char *digit_word(unsigned digit)
{
    static const char *const words[] = {"không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"};
    return words[digit % 10];
}

enum { BILLION = 1000000000 };

static void say_word(const char *word, kg_buf *out)
{
    if (out->len > 0 && out->s[out->len - 1] != ' ') {
        kg_ignore(kg_buf_puts(out, " ")); /* a failure marks the buffer */
    }
    kg_ignore(kg_buf_puts(out, word)); /* the same */
}

static void say_ones(unsigned ones, unsigned tens, kg_buf *out)
{
    if (ones == 1 && tens >= 2) {
        say_word("mốt", out);
    } else if (ones == 4 && tens >= 2) {
        say_word("tư", out);
    } else if (ones == 5 && tens >= 1) {
        say_word("lăm", out);
    } else if (ones > 0) {
        say_word(digit_word(ones), out);
    }
}

/* 1 to 999; `full` when larger groups stand before it. */
static void say_group(unsigned n, bool full, kg_buf *out)
{
    const unsigned hundreds = n / 100;
    const unsigned tens = n / 10 % 10;
    const unsigned ones = n % 10;
    const bool said_hundreds = hundreds > 0 || full;
    if (said_hundreds) {
        say_word(digit_word(hundreds), out);
        say_word("trăm", out);
    }
    if (tens == 0 && ones > 0 && said_hundreds) {
        say_word("linh", out);
    } else if (tens == 1) {
        say_word("mười", out);
    } else if (tens > 1) {
        say_word(digit_word(tens), out);
        say_word("mươi", out);
    }
    say_ones(ones, tens, out);
}

static void say_below_billion(unsigned n, bool full, kg_buf *out)
{
    static const struct {
        unsigned worth;
        const char *word;
    } groups[] = {{1000000, "triệu"}, {1000, "nghìn"}, {1, NULL}};
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        const unsigned group = n / groups[i].worth % 1000;
        if (group == 0) {
            continue;
        }
        say_group(group, full, out);
        if (groups[i].word != NULL) {
            say_word(groups[i].word, out);
        }
        full = true;
    }
}

static void say_magnitude(uint64_t n, kg_buf *out)
{
    const uint64_t billions = n / BILLION;
    if (billions >= BILLION) { /* beyond a billion billions */
        say_below_billion((unsigned)(billions / BILLION), false, out);
        say_word("tỷ", out);
    }
    if (billions % BILLION > 0) {
        say_below_billion((unsigned)(billions % BILLION), billions >= BILLION, out);
    }
    if (billions > 0) {
        say_word("tỷ", out);
    }
    say_below_billion((unsigned)(n % BILLION), billions > 0, out);
}

kg_err say_vi_number(int64_t n, kg_buf *out)
{
    if (n == 0) {
        say_word(digit_word(0), out);
        return kg_buf_failed(out);
    }
    if (n < 0) {
        say_word("âm", out);
    }
    say_magnitude(n < 0 ? 0 - (uint64_t)n : (uint64_t)n, out);
    return kg_buf_failed(out);
}

kg_err say_digits(const char *s, size_t n, kg_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] >= '0' && s[i] <= '9') {
            say_word(digit_word((unsigned)(s[i] - '0')), out);
        } else if (i > 0 && s[i - 1] >= '0' && s[i - 1] <= '9') {
            kg_ignore(kg_buf_puts(out, ",")); /* a failure marks the buffer */
        }
    }
    return kg_buf_failed(out);
}
