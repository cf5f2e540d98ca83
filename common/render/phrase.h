/*
 * phrase - the pieces that every rendered text is put together from.
 *
 * Rules     Only Vietnamese phrases are ours: for any other language the author's own text is used, and of ours nothing
 *           but markers, times and numbers (no text is invented in a language that nobody has reviewed).
 */
#ifndef KENG_RENDER_PHRASE_H
#define KENG_RENDER_PHRASE_H

#include "alert/alert.h"
#include "base/buf.h"

enum { PHRASE_TIME_MAX = 64 };

/* "DIỄN TẬP", "THỬ NGHIỆM", or NULL for an actual alert. */
const char *phrase_drill(const alert *a);
/* What must be said first: "HỦY CẢNH BÁO", "HẾT NGUY HIỂM", "ĐÍNH CHÍNH", "CẬP NHẬT", "TIN CUỐI CÙNG"; NULL for a new
 * alert. `ending` is set when there is no danger to act upon any more. */
const char *phrase_lead(const alert *a, const alert_info *info, bool *ending);
bool phrase_is_vietnamese(const alert_info *info);
/* An info's parameter, "" absent. */
const char *phrase_parameter(const alert_info *info, const char *name);

/* What to do: the author's instruction; else, in Vietnamese and while there is danger, CAP's responseType in words. */
void phrase_instruction(const alert_info *info, bool ending, kg_buf *out);
/* The places' descriptions that `said` does not name yet; many become "A và N nơi khác". */
void phrase_place(const alert_info *info, const char *said, kg_buf *out);
/* Hanoi time: 21h05 22/11 (short), 21h05 ngày 22/11/2026; 21:05 22/11[/2026] where the text is not Vietnamese. */
void phrase_time(int64_t wall_ms, bool vietnamese, bool brief, char out[PHRASE_TIME_MAX]);
/* The number to call: the alert's own (parameter CAP-VN:footer) or 112. */
const char *phrase_number(const alert_info *info);

/* Appends s as sentences of their own: blanks collapsed, ". " in front, an end mark behind. Nothing for "". */
void phrase_sentence(const char *s, kg_buf *out);
/* The first sentence of s. "TP. Vĩnh Long" and "1.500" do not end one. */
void phrase_first(const char *s, kg_buf *out);
/* Does the text start (end) with these words, whatever their accents and case? */
bool phrase_starts(const char *text, const char *words);
bool phrase_ends(const char *text, const char *words);
bool phrase_has(const char *text, const char *words);

#endif
