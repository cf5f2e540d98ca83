#include "text/say_words.h"

#include <string.h>

#include "text/chars.h"
#include "text/text.h"

static const say_unit units[] = {
    {"m³/s", "mét khối trên giây", true},
    {"m3/s", "mét khối trên giây", true},
    {"m³/h", "mét khối trên giờ", true},
    {"m3/h", "mét khối trên giờ", true},
    {"m³/ngày", "mét khối trên ngày", true},
    {"m3/ngày", "mét khối trên ngày", true},
    {"km/h", "ki lô mét trên giờ", true},
    {"km/giờ", "ki lô mét trên giờ", true},
    {"mm/h", "mi li mét trên giờ", true},
    {"mm/giờ", "mi li mét trên giờ", true},
    {"mm/24h", "mi li mét trên hai mươi tư giờ", true},
    {"cm/h", "xen ti mét trên giờ", true},
    {"m/s", "mét trên giây", true},
    {"g/l", "gam trên lít", true},
    {"g/L", "gam trên lít", true},
    {"mg/l", "mi li gam trên lít", true},
    {"mg/L", "mi li gam trên lít", true},
    {"µg/m³", "mi crô gam trên mét khối", true},
    {"µg/m3", "mi crô gam trên mét khối", true},
    {"μg/m³", "mi crô gam trên mét khối", true},
    {"mg/m3", "mi li gam trên mét khối", true},
    {"mm", "mi li mét", true},
    {"cm", "xen ti mét", true},
    {"dm", "đề xi mét", false},
    {"km²", "ki lô mét vuông", true},
    {"km2", "ki lô mét vuông", true},
    {"km", "ki lô mét", true},
    {"m²", "mét vuông", true},
    {"m2", "mét vuông", true},
    {"m³", "mét khối", true},
    {"m3", "mét khối", true},
    {"m", "mét", false},
    {"ha", "héc ta", false},
    {"kg", "ki lô gam", true},
    {"mg", "mi li gam", false},
    {"g", "gam", false},
    {"ml", "mi li lít", false},
    {"l", "lít", false},
    {"L", "lít", false},
    {"kWh", "ki lô oát giờ", true},
    {"kW", "ki lô oát", true},
    {"MW", "mê ga oát", false},
    {"kV", "ki lô vôn", true},
    {"V", "vôn", false},
    {"W", "oát", false},
    {"hPa", "héc tô pát can", true},
    {"mb", "mi li ba", false},
    {"Hz", "héc", false},
    {"dB", "đề xi ben", false},
    {"h", "giờ", false},
    {"ph", "phút", false},
    {"s", "giây", false},
    {"đ", "đồng", false},
    {"VNĐ", "đồng", false},
    {"VND", "đồng", false},
    {"%", "phần trăm", true},
    {"‰", "phần nghìn", true},
    {"°C", "độ xê", true},
    {"ºC", "độ xê", true},
    {"°F", "độ ép", true},
    {"°N", "độ vĩ bắc", true},
    {"°B", "độ vĩ bắc", true},
    {"°E", "độ kinh đông", true},
    {"°Đ", "độ kinh đông", true},
    {"°", "độ", true},
};

typedef struct entry {
    const char *sign, *spoken;
} entry;

static const entry abbreviations[] = {
    {"UBND", "Ủy ban nhân dân"},
    {"HĐND", "Hội đồng nhân dân"},
    {"UBMTTQ", "Ủy ban Mặt trận Tổ quốc"},
    {"MTTQ", "Mặt trận Tổ quốc"},
    {"BCHQS", "Ban chỉ huy quân sự"},
    {"BCHPTDS", "Ban chỉ huy phòng thủ dân sự"},
    {"BCH", "Ban chỉ huy"},
    {"BCĐ", "Ban chỉ đạo"},
    {"BĐBP", "Bộ đội biên phòng"},
    {"PTDS", "phòng thủ dân sự"},
    {"PCTT", "phòng chống thiên tai"},
    {"TKCN", "tìm kiếm cứu nạn"},
    {"PCCC", "phòng cháy chữa cháy"},
    {"CNCH", "cứu nạn cứu hộ"},
    {"KTTV", "khí tượng thủy văn"},
    {"ATNĐ", "áp thấp nhiệt đới"},
    {"NNMT", "nông nghiệp và môi trường"},
    {"NN&MT", "nông nghiệp và môi trường"},
    {"NN&PTNT", "nông nghiệp và phát triển nông thôn"},
    {"TN&MT", "tài nguyên và môi trường"},
    {"TNMT", "tài nguyên môi trường"},
    {"VHTTDL", "văn hóa, thể thao và du lịch"},
    {"VHTT&DL", "văn hóa, thể thao và du lịch"},
    {"KH&CN", "khoa học và công nghệ"},
    {"GD&ĐT", "giáo dục và đào tạo"},
    {"GDĐT", "giáo dục đào tạo"},
    {"GTVT", "giao thông vận tải"},
    {"LĐTBXH", "lao động, thương binh và xã hội"},
    {"THCS", "trung học cơ sở"},
    {"THPT", "trung học phổ thông"},
    {"TNHH", "trách nhiệm hữu hạn"},
    {"ĐBSCL", "đồng bằng sông Cửu Long"},
    {"KDC", "khu dân cư"},
    {"KCN", "khu công nghiệp"},
    {"HTX", "hợp tác xã"},
    {"CSGT", "cảnh sát giao thông"},
    {"CA", "công an"},
    {"LLVT", "lực lượng vũ trang"},
    {"QĐ", "quyết định"},
    {"TTg", "Thủ tướng"},
    {"CT", "chỉ thị"},
    {"KH", "kế hoạch"},
    {"SĐT", "số điện thoại"},
    {"ĐT", "điện thoại"},
    {"TP.HCM", "thành phố Hồ Chí Minh"},
    {"TP. HCM", "thành phố Hồ Chí Minh"},
    {"TPHCM", "thành phố Hồ Chí Minh"},
    {"TP.", "thành phố"},
    {"Tp.", "thành phố"},
    {"TP", "thành phố"},
    {"TX.", "thị xã"},
    {"TX", "thị xã"},
    {"TT.", "thị trấn"},
    {"BĐ", "báo động"},
    {"AQI", "chỉ số chất lượng không khí"},
    {"SMS", "tin nhắn"},
    {"v.v.", "vân vân"},
    {"v.v", "vân vân"},
    {"Ủy ban ND", "Ủy ban nhân dân"},
};

static const entry roads[] = {
    {"QL", "quốc lộ"},      {"ĐT", "đường tỉnh"},   {"TL", "tỉnh lộ"}, {"HL", "hương lộ"},
    {"ĐH", "đường huyện"},  {"ĐX", "đường xã"},     {"CT", "cao tốc"}, {"BĐ", "báo động"},
    {"Km", "ki lô mét số"}, {"KM", "ki lô mét số"}, {"P.", "phường"},  {"Q.", "quận"},
};

static bool ends_word(const char *s, char last)
{
    uint32_t next = 0;
    (void)chars_at(s, &next);
    if (last == '.' || last == '%') {
        return true;
    }
    return !chars_is_letter(next) && !chars_is_digit(next) && !chars_is_mark(next);
}

/* The longest sign at s that ends a word; its index, or count. */
static size_t longest(const entry *list, size_t count, const char *s, bool before_number)
{
    size_t best = count;
    size_t best_n = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t n = strlen(list[i].sign);
        if (n <= best_n || strncmp(s, list[i].sign, n) != 0) {
            continue;
        }
        if (before_number || ends_word(s + n, list[i].sign[n - 1])) {
            best = i;
            best_n = n;
        }
    }
    return best;
}

const say_unit *say_unit_at(const char *s, size_t *n)
{
    const say_unit *best = NULL;
    *n = 0;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        const size_t len = strlen(units[i].sign);
        if (len > *n && strncmp(s, units[i].sign, len) == 0 && ends_word(s + len, units[i].sign[len - 1])) {
            best = &units[i];
            *n = len;
        }
    }
    return best;
}

const char *say_abbreviation_at(const char *s, size_t *n)
{
    const size_t count = sizeof abbreviations / sizeof abbreviations[0];
    const size_t i = longest(abbreviations, count, s, false);
    if (i == count) {
        return NULL;
    }
    *n = strlen(abbreviations[i].sign);
    return abbreviations[i].spoken;
}

const char *say_road_at(const char *s, size_t *n)
{
    const size_t count = sizeof roads / sizeof roads[0];
    const size_t i = longest(roads, count, s, true);
    if (i == count) {
        return NULL;
    }
    /* The number may follow at once, after a dot, or after one blank: QL14, QL.14, QL 14. */
    size_t at = strlen(roads[i].sign);
    at += s[at] == '.' ? 1U : 0U;
    at += s[at] == ' ' ? 1U : 0U;
    if (!chars_is_digit((unsigned char)s[at]) || s[at] == '0') {
        return NULL;
    }
    if (strspn(s + at, "0123456789") > 4) {
        return NULL; /* a telephone number */
    }
    *n = at;
    return roads[i].spoken;
}

unsigned say_roman(const char *s, size_t n)
{
    static const char *const numerals[] = {"I",  "II",  "III",  "IV",  "V",  "VI",  "VII",  "VIII",  "IX",  "X",
                                           "XI", "XII", "XIII", "XIV", "XV", "XVI", "XVII", "XVIII", "XIX", "XX"};
    for (unsigned i = 0; i < sizeof numerals / sizeof numerals[0]; i++) {
        if (strlen(numerals[i]) == n && strncmp(s, numerals[i], n) == 0) {
            return i + 1;
        }
    }
    return 0;
}

/* Vowels of every tone reduce to these after lower-casing and unaccenting. */
static bool is_vowel(char c)
{
    return c != '\0' && strchr("aeiouy", c) != NULL;
}

static bool fits_list(const char *s, size_t n, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(list[i]) == n && strncmp(s, list[i], n) == 0) {
            return true;
        }
    }
    return false;
}

bool say_is_syllable(const char *s, size_t n)
{
    static const char *const heads[] = {"",   "b",   "c",  "ch", "d", "g", "gh", "gi", "h", "k",  "kh", "l", "m", "n",
                                        "ng", "ngh", "nh", "ph", "p", "q", "r",  "s",  "t", "th", "tr", "v", "x"};
    static const char *const tails[] = {"", "c", "ch", "m", "n", "ng", "nh", "p", "t"};
    kg_buf lower = {0};
    bool fits = false;
    char bare[16] = "";
    if (n >= sizeof bare * 2) {
        return false;
    }
    kg_buf word = {0};
    if (kg_buf_put(&word, s, n) == KG_OK && text_fold(kg_buf_str(&word), &lower) == KG_OK && lower.len < sizeof bare) {
        memcpy(bare, kg_buf_str(&lower), lower.len);
        size_t from = 0;
        size_t to = lower.len;
        while (from < to && !is_vowel(bare[from])) {
            from++;
        }
        while (to > from && !is_vowel(bare[to - 1])) {
            to--;
        }
        const size_t vowels = to - from;
        fits = vowels >= 1 && vowels <= 4 && strcspn(bare + from, "bcdfghjklmnpqrstvwxz") >= vowels &&
               fits_list(bare, from, heads, sizeof heads / sizeof heads[0]) &&
               fits_list(bare + to, lower.len - to, tails, sizeof tails / sizeof tails[0]);
    }
    kg_buf_done(&word);
    kg_buf_done(&lower);
    return fits;
}

const char *say_letter(uint32_t cp)
{
    static const struct {
        uint32_t letter;
        const char *name;
    } names[] = {
        {'a', "a"},  {0x103, "ă"},    {0xE2, "â"},  {'b', "bê"},    {'c', "xê"},  {'d', "dê"}, {0x111, "đê"},
        {'e', "e"},  {0xEA, "ê"},     {'f', "ép"},  {'g', "giê"},   {'h', "hát"}, {'i', "i"},  {'j', "gi"},
        {'k', "ca"}, {'l', "lờ"},     {'m', "mờ"},  {'n', "nờ"},    {'o', "o"},   {0xF4, "ô"}, {0x1A1, "ơ"},
        {'p', "pê"}, {'q', "quy"},    {'r', "rờ"},  {'s', "sờ"},    {'t', "tê"},  {'u', "u"},  {0x1B0, "ư"},
        {'v', "vê"}, {'w', "vê kép"}, {'x', "ích"}, {'y', "i dài"}, {'z', "dét"},
    };
    const uint32_t lower = chars_lower(cp);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].letter == lower) {
            return names[i].name;
        }
    }
    return NULL;
}
