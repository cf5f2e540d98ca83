/*
 * areas_table - what the files of this room share: the table behind `areas`. Private to the room.
 */
#ifndef KENG_AREAS_AREAS_TABLE_H
#define KENG_AREAS_AREAS_TABLE_H

#include "areas/areas.h"
#include "areas/geometry.h"
#include "base/clock.h"

enum { PROVINCES = 100 };

struct areas {
    kg_arena mem;
    commune *items; /* sorted by code */
    size_t count;
    bool provinces[PROVINCES]; /* some commune of it is here */
    geometry *outlines;        /* by commune index; NULL until something was imported */
};

/* 0..99, or -1 when s is not two digits. */
int areas_province_number(const char *s);

/* The day in Viet Nam, "YYYY-MM-DD"; "" for 0. areas_valid_on takes it, so that a loop asks the clock's form once. */
void areas_day(int64_t at_ms, char day[KG_TIME_TEXT_MAX]);
bool areas_valid_on(const commune *c, const char *day);

#endif
