#include "carrier_config.h"

#include "http/http.h"
#include "nearby.h"

static const cyaml_schema_field_t callback_fields[] = {
    CYAML_FIELD_STRING_PTR("listen", CYAML_FLAG_POINTER, carrier_callback, listen, 1, 64),
    CYAML_FIELD_STRING_PTR("url", CYAML_FLAG_POINTER, carrier_callback, url, 1, 1024),
    CYAML_FIELD_STRING_PTR("secret", CYAML_FLAG_POINTER, carrier_callback, secret, 1, 4096),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_STRING_PTR("operator", CYAML_FLAG_POINTER, carrier_config, operator_id, 1, REQUEST_OPERATOR_MAX - 1),
    CYAML_FIELD_STRING_PTR("url", CYAML_FLAG_POINTER, carrier_config, url, 1, 1024),
    CYAML_FIELD_STRING_PTR("token", CYAML_FLAG_POINTER, carrier_config, token, 1, 4096),
    CYAML_FIELD_STRING_PTR("ca", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, carrier_config, ca, 1, 4096),
    YAML_SWITCH("drills", CYAML_FLAG_OPTIONAL, carrier_config, drills),
    CYAML_FIELD_UINT("deadline_min", CYAML_FLAG_OPTIONAL, carrier_config, deadline_min),
    CYAML_FIELD_UINT("poll_s", CYAML_FLAG_OPTIONAL, carrier_config, poll_s),
    CYAML_FIELD_UINT("answer_s", CYAML_FLAG_OPTIONAL, carrier_config, answer_s),
    CYAML_FIELD_UINT("patience_min", CYAML_FLAG_OPTIONAL, carrier_config, patience_min),
    CYAML_FIELD_UINT("connections", CYAML_FLAG_OPTIONAL, carrier_config, connections),
    CYAML_FIELD_UINT("urgent_connections", CYAML_FLAG_OPTIONAL, carrier_config, urgent_connections),
    CYAML_FIELD_MAPPING_PTR("callback", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, carrier_config, callback,
                            callback_fields),
    CYAML_FIELD_MAPPING("message", CYAML_FLAG_DEFAULT, carrier_config, message, rules_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, carrier_config, fields)};

static void fill(unsigned *value, unsigned standard)
{
    *value = *value == 0 ? standard : *value;
}

static kg_err check(carrier_config *c, kg_diag *diag)
{
    kg_err e = rules_check(&c->message, diag);
    if (e == KG_OK) {
        e = request_check_operator(c->operator_id, diag);
    }
    if (e == KG_OK) {
        e = http_check_url(c->url, false, diag);
    }
    if (e == KG_OK && c->callback != NULL) {
        e = http_check_url(c->callback->url, true, diag); /* where the operator calls; not travelled by us */
    }
    fill(&c->deadline_min, 60);
    fill(&c->poll_s, 5);
    fill(&c->answer_s, 15);
    fill(&c->patience_min, 30);
    fill(&c->connections, 2);
    fill(&c->urgent_connections, 4);
    return e;
}

kg_err carrier_config_load(const char *path, carrier_config **out, kg_buf *token, kg_buf *secret, kg_buf *ca,
                           kg_diag *diag)
{
    void *loaded = NULL;
    kg_err e = yaml_load(path, &schema, &loaded, diag);
    if (e != KG_OK) {
        return e;
    }
    carrier_config *c = loaded;
    e = check(c, diag);
    if (e == KG_OK) {
        e = nearby_secret(path, c->token, token, diag);
    }
    if (e == KG_OK && c->callback != NULL) {
        e = nearby_secret(path, c->callback->secret, secret, diag);
    }
    if (e == KG_OK && c->ca != NULL) {
        e = nearby_path(path, c->ca, ca, diag);
    }
    if (e != KG_OK) {
        carrier_config_free(&c);
        return kg_fail_in(diag, e, "%s: ", path);
    }
    *out = c;
    return KG_OK;
}

void carrier_config_free(carrier_config **c)
{
    void *loaded = *c;
    yaml_free(&schema, &loaded);
    *c = NULL;
}
