// SPDX-License-Identifier: BSD-2-Clause
// What scenarios share: see cast.h.
#include "test/sim/cast.h"

// --- Casts --------------------------------------------------------------------------------------------------

struct guest_spec server_spec(struct sim *s, unsigned threads)
{
    struct guest_spec spec = {.program = GUEST_SERVER, .threads = threads};
    spec.get[0] = ++s->next_port;
    spec.get[1] = 0x7e57;
    return spec;
}

struct guest_spec nest_spec(struct sim *s, const struct guest_spec *behind)
{
    struct guest_spec spec = {.program = GUEST_NEST, .cap = sim_server_cap(behind)};
    spec.get[0] = ++s->next_port;
    spec.get[1] = 0x7e57;
    return spec;
}

struct guest_spec front_spec(struct sim *s, const struct guest_spec *behind)
{
    struct guest_spec spec = nest_spec(s, behind);
    spec.program = GUEST_FRONT;
    return spec;
}

struct guest_spec client_spec(struct sim *s, unsigned id, const struct guest_spec *server, uint64_t calls,
                              uint64_t max_len)
{
    return (struct guest_spec){.program = GUEST_CLIENT,
                               .id = id,
                               .count = calls,
                               .max_len = max_len,
                               .cap = sim_server_cap(server),
                               .seed = sim_rand(&s->rand),
                               .pause_ns = 2 * NS_PER_MS,
                               .work_ns = 2 * NS_PER_MS};
}

struct guest_spec sleeper_spec(struct sim *s, uint64_t pause_ns)
{
    return (struct guest_spec){.program = GUEST_SLEEPER, .count = UINT64_MAX, .pause_ns = pause_ns, .seed = s->seed};
}

void weather(struct sim *s, unsigned loss, unsigned dup, uint64_t jitter_ns)
{
    s->weather.loss = loss;
    s->weather.dup = dup;
    s->weather.jitter_ns = jitter_ns;
    sim_say(s, "weather: %u %% lost, %u %% doubled, up to %llu us late", loss, dup,
            (unsigned long long)(jitter_ns / 1000));
}
void clear_weather(struct sim *s)
{
    weather(s, 0, 0, 10000);
}

// --- What must have come true ----------------------------------------------------------------------------------

void clients_end(struct sim *s)
{
    enum guest_program clients = GUEST_CLIENT;
    if (!sim_run(s, LIVE_NS, sim_all_ended, &clients))
        sim_trouble(s, "clients do not come to an end");
}

void all_end(struct sim *s)
{
    if (!sim_run(s, LIVE_NS, sim_all_ended, NULL))
        sim_trouble(s, "guests do not come to an end");
}

void check_client(struct sim *s, const struct sim_guest *server, unsigned id, uint64_t calls)
{
    const struct guest_data *d = &server->data;
    if (d->count[id] != calls || d->last[id] != calls)
        sim_trouble(s, "%s executed %llu of %llu calls of client %u, the last one %llu", server->name,
                    (unsigned long long)d->count[id], (unsigned long long)calls, id,
                    (unsigned long long)d->last[id] - 1);
}

void check_server(struct sim *s, const struct sim_guest *server)
{
    const struct guest_data *d = &server->data;
    if (d->magic != GUEST_MAGIC)
        sim_trouble(s, "%s: the first page was not downloaded", server->name);
    if (d->doubles || d->corrupt || (!server->may_fail && (d->gaps || d->errors)))
        sim_trouble(s, "%s: %llu calls executed twice, %llu left out, %llu corrupt, %llu errors", server->name,
                    (unsigned long long)d->doubles, (unsigned long long)d->gaps, (unsigned long long)d->corrupt,
                    (unsigned long long)d->errors);
}

void finish(struct sim *s)
{
    all_end(s);
    sim_run(s, SETTLE_NS, NULL, NULL);
    sim_check_leaks(s);
}

// --- The simplest: a server, some clients -------------------------------------------------------------------------

bool cast_start(struct sim *s, struct cast *c, unsigned server_node, unsigned threads, unsigned nclients,
                uint64_t calls, uint64_t max_len)
{
    *c = (struct cast){.server_spec = server_spec(s, threads), .nclients = nclients, .calls = calls};
    c->server = sim_exec(s, server_node, &c->server_spec);
    for (unsigned i = 0; c->server && i < nclients; i++) {
        struct guest_spec spec = client_spec(s, i, &c->server_spec, calls, max_len);
        c->client[i] = sim_exec(s, (server_node + 1 + i) % s->nnodes, &spec);
        if (!c->client[i])
            return false;
    }
    return c->server != NULL;
}

void cast_end(struct sim *s, struct cast *c)
{
    clients_end(s);
    if (s->trouble[0])
        return;
    int64_t status = sim_quit(s, &c->server_spec);
    if (status != 0)
        sim_trouble(s, "the server does not end: %s", error_name(status));
    finish(s);
    check_server(s, c->server);
    for (unsigned i = 0; i < c->nclients; i++)
        if (!c->client[i]->killed)
            check_client(s, c->server, i, c->calls);
}

// --- Moments and faults -----------------------------------------------------------------------------------

void isolate(struct sim *s, unsigned node, bool cut)
{
    for (unsigned w = 0; w < s->nwires; w++)
        for (unsigned end = 0; end < s->wire[w].nends; end++)
            if (s->wire[w].node[end] == node)
                sim_wire_set(s, &s->wire[w], cut, true);
}

struct proc *proc_of(struct sim *s, const struct sim_guest *g)
{
    struct node *n = g->where >= 0 ? s->node[g->where].n : NULL;
    return n ? proc_by_ep(n, g->ep) : NULL;
}

const struct guest_data *guest_data_of(struct sim *s, const struct sim_guest *g)
{
    static const struct guest_data none;
    struct proc *p = proc_of(s, g);
    if (!p)
        return &g->data;
    const struct map *m = proc_find_map(p, GUEST_DATA);
    const struct guest_data *d = m ? seg_page(s->node[g->where].n, m->seg, m->off, false) : NULL;
    return d ? d : &none;
}

bool in_doubt(struct sim *s, void *arg)
{
    struct proc *p = proc_of(s, arg);
    return p && p->state == PROC_DOUBT;
}
