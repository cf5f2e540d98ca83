/*
 * operator_config - keng.yaml: who the operator is, the key he connects with, the processes he may ask, and the rules and
 * areas he explains by.
 *
 * Shape     Paths count from the file's folder. Everything but `who` may be absent; a command that needs a missing part
 *           says which key to add.
 */
#ifndef KENG_KENG_OPERATOR_CONFIG_H
#define KENG_KENG_OPERATOR_CONFIG_H

#include "areas/areas.h"
#include "policy/policy.h"
#include "trust/key.h"

enum { OPERATOR_PROCESSES_MAX = 64 };

typedef struct operator_process {
    const char *name, *control, *status; /* endpoints; status "" where it has none */
    public_key key;
} operator_process;

typedef struct operator_config {
    kg_arena mem;
    const char *who, *key_path, *policy_path, *geometry_dir, *sender, *agency;
    alert_texts communes, geometry;
    operator_process processes[OPERATOR_PROCESSES_MAX];
    size_t process_count;
} operator_config;

KG_MUST_CHECK kg_err operator_config_load(const char *path, operator_config *out, kg_diag *diag);
void operator_config_done(operator_config *c);

/* The process of that name; "" the first one. NULL with a sentence. */
const operator_process *operator_process_find(const operator_config *c, const char *name, kg_diag *diag);

/* Areas with their geometry, then the policy over them. */
KG_MUST_CHECK kg_err operator_rules(const operator_config *c, areas **ar, policy **p, kg_diag *diag);

#endif
