/*
 * drop - the drop folder: a file put into it is sent; it ends in accepted/ or refused/ with a reason beside it.
 *
 * Rules     A file is taken when it is complete (closed after writing, or moved in); names that begin with "." or end in
 *           ".part" are left alone. After a crash a file still in the folder is sent again: its alert's id makes that
 *           harmless. One whose answer is long in coming is in the outbox already and makes way for
 *           those not tried yet. The reason is NAME.txt, the lines that a person would have seen on his screen.
 */
#ifndef KENG_PUBLISHER_DROP_H
#define KENG_PUBLISHER_DROP_H

#include "desk.h"

typedef struct drop drop;

KG_MUST_CHECK kg_err drop_open(loop *l, desk *d, const char *folder, drop **out, kg_diag *diag);
void drop_close(drop **d);

#endif
