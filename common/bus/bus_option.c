/* Every socket option of Keng, and why (reliability.md 1.2, 1.3, 1.6). No ROUTING_ID, HANDOVER, CONFLATE, NODROP. */
#include "bus/bus_own.h"

#include <string.h>

#include "base/fault.h"

enum {
    ZAP_ENFORCE_DOMAIN = 93, /* hidden by Debian's header, works in its library */
    FRAME_SLACK = 4096       /* CURVE's own bytes, and room to count a message that is a little too long */
};

typedef struct option {
    int name, value;
} option;

static kg_err set(void *socket, const option *o, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (zmq_setsockopt(socket, o[i].name, &o[i].value, sizeof o[i].value) != 0) {
            return KG_E_IO;
        }
    }
    return KG_OK;
}

kg_err bus_option_common(void *socket)
{
    static const option all[] = {
        {ZMQ_LINGER, 0},    /* closing never waits: our own stores hold the data */
        {ZMQ_IMMEDIATE, 1}, /* a send to nobody fails at once and is kept by the caller */
        {ZMQ_SNDHWM, 1000},
        {ZMQ_RCVHWM, 100}, /* fuses only: credit is the flow control */
        {ZMQ_HANDSHAKE_IVL, 3000},
        {ZMQ_RECONNECT_IVL, 200}, /* jittered and doubled by libzmq up to the maximum */
        {ZMQ_RECONNECT_IVL_MAX, 5000},
        {ZMQ_TCP_KEEPALIVE, 1},
        {ZMQ_TCP_KEEPALIVE_IDLE, 15},
        {ZMQ_TCP_KEEPALIVE_INTVL, 5},
        {ZMQ_TCP_KEEPALIVE_CNT, 3},
        {ZMQ_TCP_MAXRT, 30000}, /* keepalive is silent while unacknowledged data wait: this is the limit then */
        {ZMQ_BACKLOG, 1024},
        {ZMQ_IPV6, 1},
    };
    const kg_err e = set(socket, all, sizeof all / sizeof all[0]);
    const int64_t max = WIRE_FRAME_MAX + FRAME_SLACK;
    return e == KG_OK && zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &max, sizeof max) != 0 ? KG_E_IO : e;
}

kg_err bus_option_heartbeats(void *socket)
{
    static const option all[] = {{ZMQ_HEARTBEAT_IVL, 2000}, {ZMQ_HEARTBEAT_TIMEOUT, 6000}, {ZMQ_HEARTBEAT_TTL, 10000}};
    return set(socket, all, sizeof all / sizeof all[0]);
}

static bool set_key(void *socket, int name, const uint8_t *key)
{
    return key != NULL && zmq_setsockopt(socket, name, key, KEY_BYTES) == 0;
}

kg_err bus_option_server(void *socket, const bus_keys *k, const char *domain)
{
    static const option server[] = {{ZMQ_CURVE_SERVER, 1}};
    kg_err e = set(socket, server, 1);
    if (e != KG_OK || !set_key(socket, ZMQ_CURVE_SECRETKEY, k->secret) ||
        zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) != 0) {
        return KG_E_IO;
    }
    /* Defence in depth: without a handler nobody gets in. Where a library does not know the option, the handler that
     * is bound first and the self-test still hold. */
    const option enforce = {ZAP_ENFORCE_DOMAIN, 1};
    if (!KG_FAULT_FAILS("bus.option_93")) {
        kg_ignore(set(socket, &enforce, 1));
    }
    return KG_OK;
}

kg_err bus_option_client(void *socket, const bus_keys *k)
{
    const bool all = set_key(socket, ZMQ_CURVE_PUBLICKEY, k->public_b) &&
                     set_key(socket, ZMQ_CURVE_SECRETKEY, k->secret) && set_key(socket, ZMQ_CURVE_SERVERKEY, k->server);
    return all ? KG_OK : KG_E_IO;
}
