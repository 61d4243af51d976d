/* SPDX-License-Identifier: Apache-2.0 */
/* swarm: how does one thread serve hundreds of clients? */
#include "swarm.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"

#define EVENTS_MAX 1024
#define READ_MAX (64u << 10)
#define TURN_MAX (1u << 20)
#define QUIET_LIMIT_MS 10000

/* One read of a turn. */
struct piece {
    struct stream *stream;
    size_t len;
    uint64_t at_ns;
};

void swarm_init(struct swarm *swarm, const struct sockaddr_storage *server, socklen_t server_len,
                unsigned nstreams)
{
    *swarm = (struct swarm){
        .server = *server,
        .server_len = server_len,
        .nstreams = nstreams,
        .streams = xcalloc(nstreams, sizeof(struct stream)),
        .bytes = xmalloc(TURN_MAX),
        .epoll = epoll_create1(EPOLL_CLOEXEC),
    };
    ASSERT(swarm->epoll >= 0);
    catalog_init(&swarm->catalog);
}

void swarm_free(struct swarm *swarm)
{
    for (unsigned i = 0; i < swarm->nstreams; i++) {
        stream_free(&swarm->streams[i]);
    }
    free(swarm->streams);
    free(swarm->bytes);
    catalog_free(&swarm->catalog);
    close(swarm->epoll);
}

static bool watch(struct swarm *swarm, struct stream *stream, int operation, struct err *err)
{
    struct epoll_event event = {
        .events = EPOLLIN | (link_wants_write(&stream->link) ? (uint32_t)EPOLLOUT : 0),
        .data.ptr = stream};

    return epoll_ctl(swarm->epoll, operation, stream->link.fd, &event) == 0 ||
           err_set_errno(err, errno, "cannot wait for a socket");
}

bool swarm_connect(struct swarm *swarm, struct stream *stream, struct err *err)
{
    return stream_connect(stream, &swarm->server, swarm->server_len, err) &&
           watch(swarm, stream, EPOLL_CTL_ADD, err);
}

void swarm_mute(struct swarm *swarm, struct stream *stream)
{
    epoll_ctl(swarm->epoll, EPOLL_CTL_DEL, stream->link.fd, NULL);
}

static bool flush(struct swarm *swarm, struct stream *stream, struct err *err)
{
    bool wanted = link_wants_write(&stream->link);

    if (!link_flush(&stream->link, err)) {
        return false;
    }
    return wanted == link_wants_write(&stream->link) || watch(swarm, stream, EPOLL_CTL_MOD, err);
}

static bool fail(const struct stream *stream, struct err *err)
{
    return err_prefix(err, "client %u (%s)", stream->number, class_names[stream->class]);
}

static bool read_piece(struct swarm *swarm, struct stream *stream, size_t at, struct piece *piece,
                       struct err *err)
{
    ssize_t len = recv(stream->link.fd, swarm->bytes + at, READ_MAX, 0);

    *piece = (struct piece){stream, len > 0 ? (size_t)len : 0, clock_mono_ns()};
    if (len == 0) {
        return err_set(err, "the server closed the connection");
    }
    return len > 0 || errno == EAGAIN || err_set_errno(err, errno, "cannot read");
}

static bool take_pieces(struct swarm *swarm, const struct piece *pieces, size_t npieces,
                        struct err *err)
{
    const uint8_t *at = swarm->bytes;

    for (size_t i = 0; i < npieces; i++) {
        struct stream *stream = pieces[i].stream;
        stream->now_ns = pieces[i].at_ns;
        stream->tally.bytes += pieces[i].len;
        if (!link_feed(&stream->link, str_span((const char *)at, pieces[i].len), err) ||
            !flush(swarm, stream, err)) {
            return fail(stream, err);
        }
        at += pieces[i].len;
    }
    return true;
}

bool swarm_turn(struct swarm *swarm, int timeout_ms, bool *ret_idle, struct err *err)
{
    struct epoll_event events[EVENTS_MAX];
    struct piece pieces[EVENTS_MAX];
    size_t npieces = 0, used = 0;
    int nevents = epoll_wait(swarm->epoll, events, EVENTS_MAX, timeout_ms);

    *ret_idle = nevents <= 0;
    for (int i = 0; i < nevents && used + READ_MAX <= TURN_MAX; i++) {
        struct stream *stream = events[i].data.ptr;
        if ((events[i].events & EPOLLOUT) != 0 && !flush(swarm, stream, err)) {
            return fail(stream, err);
        }
        if ((events[i].events & ~(uint32_t)EPOLLOUT) == 0) {
            continue;
        }
        if (!read_piece(swarm, stream, used, &pieces[npieces], err)) {
            return fail(stream, err);
        }
        used += pieces[npieces++].len;
    }
    return take_pieces(swarm, pieces, npieces, err);
}

bool swarm_until(struct swarm *swarm, swarm_done_fn *done, void *user, unsigned limit_ms,
                 struct err *err)
{
    uint64_t limit = clock_mono_ns() + limit_ms * UINT64_C(1000000);
    unsigned at = 0; /* streams before it are done */
    bool idle;

    for (;;) {
        while (at < swarm->nstreams && done(&swarm->streams[at], user)) {
            at++;
        }
        if (at == swarm->nstreams) {
            return true;
        }
        if (clock_mono_ns() > limit) {
            const struct stream *stream = &swarm->streams[at];
            err_set(err, "not done within %u ms (cds %u, eds %u, lds %u, rds %u)", limit_ms,
                    stream->subs[KIND_CDS].have, stream->subs[KIND_EDS].have,
                    stream->subs[KIND_LDS].have, stream->subs[KIND_RDS].have);
            return fail(stream, err);
        }
        if (!swarm_turn(swarm, 100, &idle, err)) {
            return false;
        }
    }
}

bool swarm_quiet(struct swarm *swarm, unsigned quiet_ms, struct err *err)
{
    uint64_t limit = clock_mono_ns() + QUIET_LIMIT_MS * UINT64_C(1000000);
    bool idle;

    do {
        if (clock_mono_ns() > limit) {
            return err_set(err, "no quiet within %u ms", QUIET_LIMIT_MS);
        }
        if (!swarm_turn(swarm, (int)quiet_ms, &idle, err)) {
            return false;
        }
    } while (!idle);
    return true;
}

void swarm_reset_tallies(struct swarm *swarm)
{
    for (unsigned i = 0; i < swarm->nstreams; i++) {
        stream_reset_tally(&swarm->streams[i]);
    }
}
