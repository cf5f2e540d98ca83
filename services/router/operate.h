/*
 * operate - what an operator may ask of a running router, and do (`keng status`, `ledger`, `held ...`, `audit verify`).
 *
 * Verbs     status; stations; ledger ALERT; held list; held show ALERT; held release ALERT WHY; held refuse ALERT WHY;
 *           note ALERT TEXT (a confirming phone call); audit [FROM] (rows in pages, for the chain check).
 * Names     ALERT is the id's hex digits, or its first ones when no other alert begins with them.
 * Rules     A change is durable before it is answered, with who and why in the audit log.
 */
#ifndef KENG_ROUTER_OPERATE_H
#define KENG_ROUTER_OPERATE_H

#include "router.h"

KG_MUST_CHECK kg_err operate_open(router *r, kg_diag *diag);

#endif
