/*
 * zap - reads the question libzmq asks about each connection (ZAP, rfc.zeromq.org/spec/27) and decides. Pure.
 *
 * Rules     Fail closed: only a well-formed CURVE request of a known domain whose key is admitted gets ZAP_ADMIT.
 */
#ifndef KENG_BUS_ZAP_H
#define KENG_BUS_ZAP_H

#include "trust/key.h"

enum { ZAP_ID_MAX = 255, ZAP_DOMAIN_MAX = 32, ZAP_FRAMES_MAX = 8 };

typedef struct zap_frame {
    const uint8_t *b;
    size_t n;
} zap_frame;

typedef struct zap_request {
    zap_frame id; /* to be echoed; borrowed from the frames */
    char domain[ZAP_DOMAIN_MAX];
    public_key key;
} zap_request;

/* frames: those after the empty delimiter. version, id, domain, address, identity, mechanism, one credential.
 * On an error out->id is what could be read of it, so that an answer can be given. */
KG_MUST_CHECK kg_err zap_read(const zap_frame *frames, size_t count, zap_request *out);

#endif
