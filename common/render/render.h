/*
 * render - what each medium says, from one approved revision. Pure: alert and language in, text out.
 *
 * Rules     The author's ready text (sms, speech, crawl) wins; otherwise headline, then what to do, then time and
 *           issuer. Status other than Actual puts DIEN TAP / DIỄN TẬP (THỬ NGHIỆM for Test) first and last in every
 *           text. Cancel and all-clear say so first. Every spoken text and every repeat says the issue time; a
 *           labelled second playing says that it is a repeat ("Phát lại"). Instruction is never lost on short channels
 *           (INF-12). Nothing is cut silently: a text that cannot fit is an error that says by how much.
 * Parameters of an info that count here: CAP-VN:kind = correction or final; CAP-VN:footer = the number to call (112).
 * Source    domain.md 10 rows 8, 11, 13, 14, 21, 25.
 */
#ifndef KENG_RENDER_RENDER_H
#define KENG_RENDER_RENDER_H

#include "alert/alert.h"
#include "base/buf.h"
#include "text/text.h"

/* Unaccented GSM-7 in at most 160 units (the author's, else proposed from headline, area, instruction, 112).
 */
KG_MUST_CHECK kg_err render_sms(const alert *a, kg_buf *out, sms_size *size, kg_diag *diag);
/* Accented form in `language`, UCS-2, at most max_parts. KG_E_LIMIT says how long it is. */
KG_MUST_CHECK kg_err render_sms_accented(const alert *a, const char *language, unsigned max_parts, kg_buf *out,
                                         sms_size *size, kg_diag *diag);
/* What a voice reads; for "vi" already through say_vi. KG_E_NOTFOUND: the alert has no text in that language.
 */
KG_MUST_CHECK kg_err render_speech(const alert *a, const char *language, unsigned playing, bool labelled, kg_buf *out,
                                   kg_diag *diag);
/* One line for the foot of the screen. */
KG_MUST_CHECK kg_err render_crawl(const alert *a, const char *language, kg_buf *out, kg_diag *diag);

#endif
