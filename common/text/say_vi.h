/*
 * say_vi - Vietnamese text made ready to be spoken: numbers, times, dates, units and abbreviations in words.
 *
 * Example "18h30 ngày 22/11/2026, mưa 150mm, QL14" -> "mười tám giờ ba mươi phút ngày hai mươi hai tháng mười một năm
 * hai nghìn không trăm hai mươi sáu, mưa một trăm năm mươi mi li mét, quốc lộ mười bốn".
 * Rules     No URL and no e-mail address is spoken (removed, and counted in *dropped_urls so that the caller can say
 *           so). Phone numbers of three digits (112, 114) are read digit by digit.
 */
#ifndef KENG_TEXT_SAY_VI_H
#define KENG_TEXT_SAY_VI_H

#include <stdint.h>

#include "base/buf.h"

KG_MUST_CHECK kg_err say_vi(const char *s, kg_buf *out, unsigned *dropped_urls);
KG_MUST_CHECK kg_err say_vi_number(int64_t n, kg_buf *out);

#endif
