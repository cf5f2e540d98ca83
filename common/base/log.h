/*
 * log - one line an event, to standard error (the journal of the service manager).
 *
 * Shape     <level> <UTC time> <event.name> key=value key="value with blanks" ...
 * Rules     The event name is stable; every line about an alert carries alert=<id>. Values are escaped. No secrets, no
 *           message bodies, no phone numbers. Libraries return errors; the stage that decides logs, once.
 */
#ifndef KENG_BASE_LOG_H
#define KENG_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

typedef enum kg_level { KG_ERROR, KG_WARNING, KG_INFO, KG_DEBUG } kg_level;

typedef struct kg_field {
    const char *key;  /* NULL ends the list */
    const char *text; /* NULL: the number counts */
    int64_t number;
} kg_field;

static inline kg_field KG_TEXT(const char *key, const char *text)
{
    return (kg_field){.key = key, .text = text != NULL ? text : ""};
}

static inline kg_field kg_int(const char *key, int64_t value)
{
    return (kg_field){.key = key, .number = value};
}

/* Counts of every integer type are logged as they are. */
#define KG_INT(k, v)              kg_int((k), (int64_t)(v))
#define kg_log(level, event, ...) kg_log_fields((level), (event), (const kg_field[]){__VA_ARGS__, {.key = NULL}})

void kg_log_open(const char *program, kg_level most); /* main only */
void kg_log_fields(kg_level level, const char *event, const kg_field *fields);

#endif
