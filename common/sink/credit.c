#include "sink/credit.h"

static uint32_t room(uint32_t waiting, uint32_t waiting_max)
{
    const uint32_t left = waiting < waiting_max ? waiting_max - waiting : 0;
    return left < CREDIT_WINDOW ? left : CREDIT_WINDOW;
}

uint32_t credit_total(const credit *c, uint32_t waiting, uint32_t waiting_max)
{
    const uint32_t total = c->answered + room(waiting, waiting_max);
    return total > c->granted ? total : c->granted;
}

bool credit_is_stale(const credit *c, uint32_t waiting, uint32_t waiting_max)
{
    return c->answered + room(waiting, waiting_max) >= c->granted + CREDIT_WINDOW / 2;
}
